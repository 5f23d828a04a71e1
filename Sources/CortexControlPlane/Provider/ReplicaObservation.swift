/// What is seen of one replica of an API.
package struct ReplicaObservation: Hashable, Sendable, Codable {
    package enum State: String, Hashable, Sendable, Codable, CaseIterable {
        /// Its workers start, or it has not answered the sample yet.
        case starting
        /// It takes requests.
        case ready
        /// It took requests, and some of its workers are started again.
        case restarting
        /// It does not come up.
        case failed
        /// It finishes what it has, and ends.
        case draining
    }

    /// `iris-3-0`.
    package var name: String
    package var version: Int
    package var state: State
    /// Why it is not ready, in a sentence; nil where there is nothing to tell.
    package var reason: String?

    package init(name: String, version: Int, state: State, reason: String? = nil) {
        self.name = name
        self.version = version
        self.state = state
        self.reason = reason
    }
}
