import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(1))) struct DeviceInventoryTests {
    private static let listing = """
        GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
        GPU 1: Tesla T4 (UUID: GPU-c6ba3d3b-3b0a-4f9e-9e3b-0a4f9e9e3b0a)

        """
    private static let split = """
        GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6)
          MIG 3g.20gb     Device  0: (UUID: MIG-c7384736)
          MIG 3g.20gb     Device  1: (UUID: MIG-a28ad590)
        GPU 1: Tesla T4 (UUID: GPU-c6ba3d3b)
        """

    private func visible(_ text: String, _ variable: String?) -> [String] {
        DeviceInventory.visible(DeviceInventory.graphicsProcessors(in: text), by: variable)
    }

    @Test(
        arguments: [
            (nil, ["0", "1"]), ("0,1", ["0", "1"]), ("1", ["1"]), (" 1 , 0", ["1", "0"]), ("1,1", ["1"]), ("", []),
            ("-1", []), ("7", []), ("GPU-c6ba", ["1"]), ("GPU-nothing", []), ("NoDevFiles", []),
            // By CUDA's rule nothing counts behind one that is not there.
            ("1,7,0", ["1"]),
        ] as [(String?, [String])]
    )
    func `the server's own variable says which may be used`(variable: String?, devices: [String]) {
        #expect(self.visible(Self.listing, variable) == devices)
    }

    @Test func `a processor that is split is as many devices as it has instances`() {
        #expect(self.visible(Self.split, nil) == ["MIG-c7384736", "MIG-a28ad590", "1"])
        #expect(self.visible(Self.split, "MIG-a28ad590,1") == ["MIG-a28ad590", "1"])
    }

    @Test(arguments: ["", "No devices were found\n", "NVIDIA-SMI has failed because it couldn't communicate\n"])
    func `a list of none is empty`(text: String) {
        #expect(DeviceInventory.graphicsProcessors(in: text) == [])
    }

    /// A folder with a stand-in for `nvidia-smi`, and with files like those of drivers.
    private func withMachine(
        script: String?,
        files: [String] = [],
        variables: [String: String] = [:],
        _ body: (DeviceInventory) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "devices-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if let script {
            let tool = folder.appending(path: "nvidia-smi")
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: tool)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755],
                ofItemAtPath: tool.path(percentEncoded: false)
            )
        }
        for file in files { try Data().write(to: folder.appending(path: file)) }
        let path = folder.path(percentEncoded: false)
        let inventory = DeviceInventory(environment: variables.merging(["PATH": path]) { $1 }, folder: path)
        try await body(inventory)
    }

    @Test func `nvidia-smi is asked`() async throws {
        let script = #"test "$1" = -L && echo "GPU 0: A (UUID: GPU-a)" && echo "GPU 1: B (UUID: GPU-b)""#
        try await self.withMachine(script: script, files: ["nvidia5"]) { inventory in
            #expect(await inventory.devices(.gpu) == ["0", "1"])
        }
        try await self.withMachine(script: script, variables: ["CUDA_VISIBLE_DEVICES": "1"]) { inventory in
            #expect(await inventory.devices(.gpu) == ["1"])
        }
    }

    @Test(arguments: [nil, "exit 9"])
    func `without it the driver's files count`(script: String?) async throws {
        let files = ["nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm", "neuron0", "neuron", "null"]
        try await self.withMachine(script: script, files: files) { inventory in
            #expect(await inventory.devices(.gpu) == ["2", "10"])
            #expect(await inventory.devices(.inferentia) == ["0"])
            #expect(inventory.hasGraphicsProcessors())
        }
    }

    @Test func `a machine may have none`() async throws {
        try await self.withMachine(script: nil) { inventory in
            #expect(await inventory.devices(.gpu) == [])
            #expect(await inventory.devices(.inferentia) == [])
            #expect(!inventory.hasGraphicsProcessors())
        }
    }
}
