import Synchronization

/// Bytes of disk or memory that may be taken, all who take of them together.
package final class ByteBudget: Sendable {
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
