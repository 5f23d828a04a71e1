import CortexSpec
import Foundation
import Testing

@testable import CortexKubernetes

struct LeaseStateTests {
    private func lease(holder: String, version: String, seconds: Int64 = 15) -> KubernetesObject {
        KubernetesObject([
            "metadata": ["name": "cortex-operator", "resourceVersion": .string(version)],
            "spec": ["holderIdentity": .string(holder), "leaseDurationSeconds": .int(seconds), "leaseTransitions": 4],
        ])
    }

    @Test func `a lease that is not there is made`() {
        var state = LeaseState(identity: "a", duration: .seconds(15))
        #expect(state.step(for: nil, now: .zero) == .create)
    }

    @Test func `what is free or our own is taken`() {
        var state = LeaseState(identity: "a", duration: .seconds(15))
        #expect(state.step(for: self.lease(holder: "", version: "1"), now: .zero) == .take)
        #expect(state.step(for: self.lease(holder: "a", version: "1"), now: .zero) == .take)
    }

    @Test func `another's lease is taken when it has not changed for its time`() {
        var state = LeaseState(identity: "a", duration: .seconds(15))
        #expect(state.step(for: self.lease(holder: "b", version: "1"), now: .seconds(100)) == .wait)
        #expect(state.step(for: self.lease(holder: "b", version: "1"), now: .seconds(114)) == .wait)
        // Renewed: it counts anew from when this was seen.
        #expect(state.step(for: self.lease(holder: "b", version: "2"), now: .seconds(116)) == .wait)
        #expect(state.step(for: self.lease(holder: "b", version: "2"), now: .seconds(130)) == .wait)
        #expect(state.step(for: self.lease(holder: "b", version: "2"), now: .seconds(131)) == .take)
    }

    @Test func `times have six digits of a second`() {
        #expect(KubernetesTime.text(Date(timeIntervalSince1970: 1_800_000_000.25)) == "2027-01-15T08:00:00.250000Z")
        #expect(KubernetesTime.text(Date(timeIntervalSince1970: 1_800_000_000)) == "2027-01-15T08:00:00.000000Z")
        #expect(KubernetesTime.date("2027-01-15T08:00:00.250000Z") == Date(timeIntervalSince1970: 1_800_000_000.25))
        #expect(KubernetesTime.date("2027-01-15T08:00:00Z") == Date(timeIntervalSince1970: 1_800_000_000))
    }

    @Test func `a change of the holder is counted, a renewal is not`() {
        let state = LeaseState(identity: "a", duration: .seconds(15))
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        let taken = state.held(self.lease(holder: "b", version: "7"), name: "cortex-operator", namespace: "n", at: now)
        #expect(taken["spec", "leaseTransitions"] == 5)
        #expect(taken["spec", "holderIdentity"] == "a")
        #expect(taken.resourceVersion == "7")
        let renewed = state.held(taken, name: "cortex-operator", namespace: "n", at: now)
        #expect(renewed["spec", "leaseTransitions"] == 5)
    }
}
