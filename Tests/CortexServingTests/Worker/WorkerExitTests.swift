import CortexServing
import CortexSpec
import Testing

@Suite struct WorkerExitTests {
    private static func limit(used: Int64, share: Int64) -> WorkerExit {
        .outOfMemory(.limit(used: .mebibytes(used), limit: .mebibytes(512), share: .mebibytes(share)))
    }

    @Test(
        arguments: [
            (.status(3), "exited with status 3", "exit"),
            (.signal(9), "was killed by signal 9, which this server did not send", "killed"),
            (.signal(11), "crashed (signal 11, segmentation fault)", "signal"),
            (Self.limit(used: 612, share: 612), "used 612 MiB of 512 MiB (compute.mem) and was ended", "out_of_memory"),
            (
                Self.limit(used: 612, share: 400),
                "used 400 MiB of the 612 MiB of its replica, which may use 512 MiB (compute.mem), and was ended",
                "out_of_memory"
            ),
            (
                .outOfMemory(.machine),
                "was ended by the kernel, since the machine or its container had no memory left", "out_of_memory"
            ),
            (.outOfMemory(.raised), "ended because its predictor raised MemoryError", "out_of_memory"),
            (.lostDevice, "ended because a device does not answer in it any more", "device"),
            (.overdue(requestID: "r-1"), "did not answer request r-1 in time and was ended", "overdue"),
        ] as [(WorkerExit, String, String)]
    )
    func `an end says who did it and why`(exit: WorkerExit, text: String, label: String) {
        #expect(exit.description == text)
        #expect(exit.label == label)
        #expect(WorkerExit.labels.contains(exit.label))
        #expect(exit.isOutOfMemory == (label == "out_of_memory"))
    }

    @Test(
        arguments: [
            (0, .status(0)), (3, .status(3)), (241, .lostDevice), (242, .outOfMemory(.raised)), (243, .status(243)),
        ] as [(Int32, WorkerExit)]
    )
    func `some statuses are the worker's own`(status: Int32, exit: WorkerExit) {
        #expect(WorkerExit(status: status) == exit)
    }

    @Test func `a byte over the limit is shown as more than the limit`() {
        let limit = ByteCount.mebibytes(512)
        let used = ByteCount(limit.bytes + 1)
        let shortage = MemoryShortage.limit(used: used, limit: limit, share: used)
        #expect("\(shortage)" == "used 513 MiB of 512 MiB (compute.mem) and was ended")
    }
}
