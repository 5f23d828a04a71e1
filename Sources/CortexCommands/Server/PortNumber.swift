import ArgumentParser

/// What may be given as a port to listen on: 0, which takes a free one, to 65535.
enum PortNumber {
    static let allowed = 0...65535

    /// - Throws: `ValidationError` where a flag has none.
    static func check(_ port: Int?, of flag: String) throws {
        guard let port, !self.allowed.contains(port) else { return }
        throw ValidationError("\(flag) is \(port); allowed are 0 to 65535")
    }

    /// Nil where the variable is not set.
    static func variable(_ name: String, in environment: [String: String]) throws -> Int? {
        try ServerVariable.count(name, in: self.allowed, of: environment)
    }
}
