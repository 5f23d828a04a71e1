/// A share of processors, in thousandths of one.
package struct CPUQuantity: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var millicores: Int64

    package init(millicores: Int64) {
        self.millicores = millicores
    }

    /// Reads a Kubernetes quantity (`200m`, `1`, `0.5`), rounded up to a thousandth; nil for anything else.
    package init?(quantity: String) {
        guard let value = Quantity(quantity)?.scaled(by: 3) else { return nil }
        self.millicores = value
    }

    /// `200m`, or `2` where it is whole.
    package var description: String {
        self.millicores % 1000 == 0 ? "\(self.millicores / 1000)" : "\(self.millicores)m"
    }

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.millicores < rhs.millicores }
}
