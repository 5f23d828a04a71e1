import CortexKubernetes
import CortexSpec
import Testing

@testable import CortexKubernetesProvider

struct PodViewTests {
    private func trouble(_ status: JSONValue) -> PodView.Trouble? {
        PodView(Sample.pod("p", template: "t", status: status))?.trouble
    }

    @Test func `what is no replica's is nothing`() {
        #expect(PodView(KubernetesObject(["metadata": ["name": "p", "labels": ["cortex.dev/api": "iris"]]])) == nil)
    }

    @Test func `a ready pod has no trouble`() throws {
        let pod = try #require(PodView(Sample.pod("p", template: "t", version: 3, status: Sample.ready)))
        #expect(pod.isReady)
        #expect(pod.trouble == nil)
        #expect(pod.version == 3)
    }

    @Test func `one that ends is not ready any more`() throws {
        let pod = try #require(PodView(Sample.pod("p", template: "t", status: Sample.ready, isTerminating: true)))
        #expect(!pod.isReady)
        #expect(pod.isTerminating)
    }

    @Test(arguments: ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])
    func `an image that cannot be had is named`(_ reason: String) {
        let status: JSONValue = [
            "initContainerStatuses": [
                [
                    "name": "prepare", "image": "registry/cortex:9", "restartCount": 0,
                    "state": ["waiting": ["reason": .string(reason), "message": "not found"]],
                ]
            ]
        ]
        #expect(self.trouble(status) == .image("cannot pull the image registry/cortex:9: not found"))
    }

    @Test func `a container that ended says why in its own words`() {
        #expect(self.trouble(Sample.crashed("ValueError: no such file\n")) == .failed("ValueError: no such file"))
        #expect(self.trouble(Sample.crashed("")) == .failed("api ended with exit code 1"))
    }

    @Test func `the kernel's end of a container is told as such`() {
        let status: JSONValue = [
            "containerStatuses": [
                [
                    "name": "api", "restartCount": 2, "state": ["running": [:]],
                    "lastState": ["terminated": ["exitCode": 137, "reason": "OOMKilled"]],
                ]
            ]
        ]
        guard case .outOfMemory(let reason) = self.trouble(status) else {
            Issue.record("not told")
            return
        }
        #expect(reason.contains("compute.mem"))
    }

    @Test func `a pod without a place says what the scheduler says`() {
        let status: JSONValue = [
            "phase": "Pending",
            "conditions": [
                [
                    "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "message": "0/3 nodes are available: 3 Insufficient cpu.",
                ]
            ],
        ]
        #expect(self.trouble(status) == .unschedulable("0/3 nodes are available: 3 Insufficient cpu."))
    }
}
