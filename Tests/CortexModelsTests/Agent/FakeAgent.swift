import Foundation

@testable import CortexModels

/// A package whose agent does what a test says.
///
/// It is a real process on a real socket, so that starts, ends and frames are those of the product.
struct FakeAgent {
    let folder: URL
    let launch: StorageAgentLaunch
    /// A line for each thing that the fake agents did, in order.
    let log: URL

    /// - Parameter script: Python that may use `hello()`, `read()`, `send(kind, id, body)`, `fault(id, kind, message)`,
    ///   `note(text)` and `starts()`.
    @discardableResult
    static func with<R>(_ script: String, _ body: (FakeAgent) async throws -> R) async throws -> R {
        let folder = URL(filePath: "/tmp/cs-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = folder.appending(path: "log")
        try Data().write(to: log)
        let source = Self.prelude.replacingOccurrences(of: "LOG", with: log.path(percentEncoded: false)) + script
        try Data(source.utf8).write(to: folder.appending(path: "cortex-storage.py"))
        let package = folder.path(percentEncoded: false)
        let launch = StorageAgentLaunch(
            python: { _ in Self.python },
            package: String(package.dropLast(package.hasSuffix("/") ? 1 : 0)),
            socket: folder.appending(path: "agent.sock").path(percentEncoded: false),
            environment: ["PATH": "/usr/bin:/bin", "AWS_ACCESS_KEY_ID": "given"]
        )
        return try await body(FakeAgent(folder: folder, launch: launch, log: log))
    }

    /// What the fake agents noted.
    func notes() throws -> [String] {
        try String(contentsOf: self.log, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// The first Python 3 of the machine.
    static let python: String = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
        let candidates = folders.map { "\($0)/python3" } + ["/usr/bin/python3"]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "/usr/bin/python3"
    }()

    private static let prelude = """
        import json, os, socket, struct, sys
        HEAD = struct.Struct("<IBBHQ")
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(sys.argv[2])
        stream = peer.makefile("rb")

        def note(text):
            with open("LOG", "a") as file:
                file.write(text + "\\n")

        def starts():
            with open("LOG") as file:
                return file.read().count("started")

        def send(kind, id, body=b""):
            peer.sendall(HEAD.pack(len(body), kind, 0, 0, id) + body)

        def hello():
            token = os.environ["CORTEX_STORAGE_TOKEN"]
            send(0x10, 0, json.dumps({"protocol": 1, "role": "storage", "token": token}).encode())

        def read():
            head = stream.read(16)
            if len(head) < 16:
                note("end of file")
                sys.exit(0)
            length, kind, flags, code, id = HEAD.unpack(head)
            return kind, flags, id, stream.read(length)

        def fault(id, kind, message):
            send(0x4B, id, json.dumps({"kind": kind, "message": message}).encode())

        note("started")

        """
}

extension RemoteLocation {
    static let sample = RemoteLocation(url: "s3://bucket/models/", options: ["AWS_REGION": "eu-west-1"])
}

extension ModelLocation {
    static let sample = ModelLocation.remote(.sample)
}
