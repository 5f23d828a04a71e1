import Testing

@testable import CortexLocalProvider

@Suite struct DeviceGrantTests {
    @Test func `GPUs are told to all workers alike`() {
        let grant = DeviceGrant(kind: .gpu, devices: ["1", "3"])
        #expect(grant.variables == ["CUDA_VISIBLE_DEVICES": "1,3", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"])
        #expect(grant.variablesByWorker(processes: 2) == [])
    }

    @Test(
        arguments: [
            (["0"], 1, ["0-3"]), (["1"], 2, ["4-5", "6-7"]), (["2"], 4, ["8", "9", "10", "11"]),
            (["0", "1"], 1, ["0-7"]), (["0", "2"], 1, ["0,1,2,3,8,9,10,11"]), (["0", "2"], 2, ["0-3", "8-11"]),
        ]
    )
    func `each worker has cores of an Inferentia chip to itself`(devices: [String], processes: Int, cores: [String]) {
        let grant = DeviceGrant(kind: .inferentia, devices: devices)
        #expect(grant.variables == [:])
        #expect(grant.variablesByWorker(processes: processes).map { $0["NEURON_RT_VISIBLE_CORES"] } == cores)
    }
}
