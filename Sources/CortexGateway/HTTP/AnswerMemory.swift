/// The memory of one answer that waits for its reader, until nobody holds this.
final class AnswerMemory: Sendable {
    /// Bytes of an answer that are not worth counting: a connection holds no more than a few times as much.
    static let uncounted = 64 << 10

    private let size: Int
    private let budgets: [ByteBudget]

    /// Nil where one of the budgets has no room for it.
    init?(_ size: Int, of budgets: [ByteBudget]) {
        for (index, budget) in budgets.enumerated() where !budget.take(size) {
            for taken in budgets[..<index] { taken.give(size) }
            return nil
        }
        self.size = size
        self.budgets = budgets
    }

    deinit {
        for budget in self.budgets { budget.give(self.size) }
    }
}
