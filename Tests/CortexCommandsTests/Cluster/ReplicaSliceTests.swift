import CortexKubernetes
import CortexSpec
import Foundation
import NIOCore
import Testing

@testable import CortexCommands

/// Where replicas are, as releases of Kubernetes tell it: recorded objects.
struct ReplicaSliceTests {
    private static let metadata =
        #""metadata":{"name":"api-iris-replicas-x","labels":{"cortex.dev/api":"iris","cortex.dev/role":"replicas"}}"#

    /// 1.20: where a pod is stands in `topology`, and what is not ready is said so.
    static let beta = #"""
        {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1beta1",\#(Self.metadata),"addressType":"IPv4",
        "endpoints":[
        {"addresses":["10.0.0.1"],"conditions":{"ready":true},"topology":{"kubernetes.io/hostname":"node1"},
        "targetRef":{"kind":"Pod","name":"a"}},
        {"addresses":["10.0.0.2"],"conditions":{"ready":false}},
        {"addresses":["10.0.0.3"],"conditions":{}}],
        "ports":[{"name":"http","protocol":"TCP","port":8888}]}
        """#

    /// 1.21 and later: nodes and zones have fields, and what is ending still serves, but is not ready.
    static let stable = #"""
        {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1",\#(Self.metadata),"addressType":"IPv4",
        "endpoints":[
        {"addresses":["10.0.0.1"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"node1",
        "zone":"a","hints":{"forZones":[{"name":"a"}]},"targetRef":{"kind":"Pod","name":"a","uid":"1"}},
        {"addresses":["10.0.0.2"],"conditions":{"ready":false,"serving":true,"terminating":true},"nodeName":"node2"},
        {"addresses":["10.0.0.3"],"conditions":{},"nodeName":"node1"}],
        "ports":[{"name":"metrics","protocol":"TCP","port":9},
        {"name":"http","protocol":"TCP","port":8888,"appProtocol":"http"}]}
        """#

    /// Before slices.
    static let endpoints = #"""
        {"kind":"Endpoints","apiVersion":"v1",\#(Self.metadata),"subsets":[
        {"addresses":[{"ip":"10.0.0.1","nodeName":"node1"},{"ip":"10.0.0.3"}],"notReadyAddresses":[{"ip":"10.0.0.2"}],
        "ports":[{"name":"http","port":8888,"protocol":"TCP"}]}]}
        """#

    private func slice(_ text: String) throws -> ReplicaSlice? {
        ReplicaSlice(try KubernetesJSON.decoder.decode(KubernetesObject.self, from: Data(text.utf8)))
    }

    @Test(arguments: [Self.beta, Self.stable, Self.endpoints])
    func `those that are ready are led to`(_ text: String) throws {
        let slice = try #require(try self.slice(text))
        #expect(slice.api == APIName("iris"))
        #expect(slice.addresses.map { "\($0.ipAddress ?? ""):\($0.port ?? 0)" } == ["10.0.0.1:8888", "10.0.0.3:8888"])
    }

    @Test func `addresses of version 6 are as good`() throws {
        let text = Self.stable.replacing("10.0.0.1", with: "fd00::1").replacing("IPv4", with: "IPv6")
        #expect(try self.slice(text)?.addresses.first?.ipAddress == "fd00::1")
    }

    @Test func `names, and what has no port, are passed over`() throws {
        #expect(try self.slice(Self.stable.replacing("10.0.0.1", with: "host.example.com"))?.addresses.count == 1)
        let portless = Self.beta.replacing(#"[{"name":"http","protocol":"TCP","port":8888}]"#, with: "null")
        #expect(try self.slice(portless)?.addresses.isEmpty == true)
    }

    @Test func `what is of no API is nothing`() throws {
        #expect(try self.slice(Self.stable.replacing("cortex.dev/api", with: "other")) == nil)
    }
}
