import CortexNetwork
import Testing

struct ReplicaAddressTests {
    @Test func `an address of version 6 stands in brackets`() {
        #expect("\(ReplicaAddress(host: "10.244.0.7", port: 8888))" == "10.244.0.7:8888")
        #expect("\(ReplicaAddress(host: "fd00::7", port: 8888))" == "[fd00::7]:8888")
    }
}
