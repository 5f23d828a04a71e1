import Synchronization

/// The bytes of disk that spooled bodies may take, all connections together.
package final class SpoolBudget: Sendable {
    private let free: Atomic<Int>

    package init(bytes: Int) {
        self.free = Atomic(bytes)
    }

    /// Whether that much was still free, and is now taken.
    func take(_ bytes: Int) -> Bool {
        let left = self.free.subtract(bytes, ordering: .relaxed).newValue
        if left >= 0 { return true }
        self.give(bytes)
        return false
    }

    func give(_ bytes: Int) {
        self.free.add(bytes, ordering: .relaxed)
    }
}
