import NIOCore

extension AdmissionState {
    /// What time has done.
    struct Expiry {
        /// A request past its deadline, whose sender is to be told so.
        struct Overdue {
            var entry: Entry
            /// Where it was handed to: that worker is to be told as well.
            var slot: SlotIndex?
            /// Whether `predict` may have been called.
            var started: Bool
        }

        var overdue: [Overdue] = []
        /// Workers that run a request whose patience is at its end, with the id of that request.
        var hopelessWorkers: [String: String] = [:]
        /// Slots that stream to nobody, and do not stop.
        var hopelessSlots: [SlotIndex] = []
        /// When to look again.
        var next: NIODeadline?
    }
}
