extension [String] {
    /// `a, b or c`.
    var alternatives: String {
        guard let last = self.last, self.count > 1 else { return self.first ?? "" }
        return self.dropLast().joined(separator: ", ") + " or " + last
    }
}
