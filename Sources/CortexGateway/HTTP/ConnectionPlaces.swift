import Synchronization

/// The connections that clients may have, all event loops together.
final class ConnectionPlaces: Sendable {
    /// Further ones that may be open for as long as it takes to refuse them with an answer.
    private static let refusals = 1024

    let limit: Int
    private let open = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    enum Admission {
        case admitted, refused
        /// There is no room even for telling so.
        case dropped
    }

    /// To be followed by one `leave`, whatever it says.
    func enter() -> Admission {
        let number = self.open.add(1, ordering: .relaxed).newValue
        if number <= self.limit { return .admitted }
        return number <= self.limit + Self.refusals ? .refused : .dropped
    }

    func leave() {
        self.open.subtract(1, ordering: .relaxed)
    }
}
