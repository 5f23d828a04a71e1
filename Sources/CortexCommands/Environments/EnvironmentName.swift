/// What users call the place that an operator is at: `local` is this machine's own, others are theirs to name.
struct EnvironmentName: Hashable, Sendable, CustomStringConvertible {
    /// The server of this machine, always there.
    static let local = EnvironmentName(trusted: "local")

    let description: String

    /// 1 to 63 letters, digits, `-`, `_` and `.`, a letter or digit first.
    init(_ text: String) throws(CommandFailure) {
        let legal = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
            default: false
            }
        }
        guard legal, (1...63).contains(text.utf8.count), let first = text.first, first.isLetter || first.isNumber else {
            throw CommandFailure(
                "\(String(text.prefix(80)).debugDescription) is no name of an environment",
                hint: "allowed are 1 to 63 letters, digits, '-', '_' and '.', a letter or digit first",
                exitCode: 2
            )
        }
        self.description = text
    }

    private init(trusted text: String) {
        self.description = text
    }
}
