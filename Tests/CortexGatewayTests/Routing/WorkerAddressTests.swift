import Testing

@testable import CortexGateway

@Suite struct WorkerAddressTests {
    @Test func `an address of IPv6 is set apart from its port`() {
        #expect(WorkerAddress(host: "127.88.0.1", port: 8888).url == "http://127.88.0.1:8888")
        #expect("\(WorkerAddress(host: "::1", port: 9000))" == "[::1]:9000")
    }
}
