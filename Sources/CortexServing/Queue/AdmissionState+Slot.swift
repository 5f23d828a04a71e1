import DequeModule
import NIOCore

extension AdmissionState {
    /// A thread of a worker as the queue knows it.
    ///
    /// A class, since it is asked several times a request: a copy would count all that it refers to each time.
    final class Slot {
        let worker: String
        let replica: String
        /// Its replica has been let in, and does not drain; and its worker is ready.
        var isAdmitted: Bool
        /// What its predictor names of a request.
        var arguments: PredictArguments
        /// In the order in which the worker got them, and will answer.
        var outstanding = Deque<UInt64>()
        /// The work after an answer (`post_predict`) is not done yet.
        var isResting = false
        /// It is known that the worker has never read the whole of the first outstanding request, or will not begin it.
        var isFirstUnread = false
        /// Its worker may not come back: it gets nothing more until it has (`AdmissionState+Doubt.swift`).
        var isDoubtful = false
        /// Its process is stopped: it gets nothing until it goes on.
        var isStopped = false
        var mayTake: Bool { self.isAdmitted && !self.isResting && !self.isDoubtful && !self.isStopped }
        /// Since when it has been at work on what it is at work on: its first outstanding request, or what follows an
        /// answer.
        var since = NIODeadline.uptimeNanoseconds(0)

        init(worker: String, replica: String, isAdmitted: Bool, arguments: PredictArguments) {
            self.worker = worker
            self.replica = replica
            self.isAdmitted = isAdmitted
            self.arguments = arguments
        }
    }
}
