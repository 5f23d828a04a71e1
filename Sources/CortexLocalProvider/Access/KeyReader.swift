package import CortexSpec

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Reads the keys that may call an API from where its spec says they are kept.
package struct KeyReader: Sendable {
    /// The server's own.
    let environment: [String: String]

    package init(environment: [String: String]) {
        self.environment = environment
    }

    /// Why a key cannot be used: never in words that hold the key.
    package struct Flaw: Error, Hashable {
        package var message: String
        package var allowed: String
    }

    private static let largest = 4096

    /// All of them, or none.
    package func keys(at references: [SecretReference]) throws(Flaw) -> [String] {
        var keys: [String] = []
        for reference in references { keys.append(try self.key(at: reference)) }
        return keys
    }

    /// What is wrong with the keys of a spec that is to be deployed.
    func problems(of references: [SecretReference]) -> [FieldProblem] {
        references.enumerated().compactMap { index, reference in
            do throws(Flaw) {
                _ = try self.key(at: reference)
                return nil
            } catch {
                let kind =
                    switch reference {
                    case .environment: "env"
                    case .file: "file"
                    }
                return FieldProblem(
                    field: "networking.api_keys[\(index)].\(kind)",
                    message: error.message,
                    allowed: error.allowed
                )
            }
        }
    }

    private func key(at reference: SecretReference) throws(Flaw) -> String {
        switch reference {
        case .environment(let variable):
            guard let value = self.environment[variable] else {
                throw Flaw(
                    message: "names \(variable), which is not set where the server runs",
                    allowed: "set it before the server is started"
                )
            }
            return try Self.check(value, "\(variable) holds")
        case .file(let path):
            guard path.hasPrefix("/") else {
                throw Flaw(message: "is the relative path \(path)", allowed: "name the file by its absolute path")
            }
            return try Self.check(try Self.content(of: path), "\(path) holds")
        }
    }

    private static func content(of path: String) throws(Flaw) -> String {
        // Not blocking: what is a pipe must hold up nobody.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.unreadable(path, errno) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.largest + 1)
        let count = read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw Self.unreadable(path, errno) }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private static func unreadable(_ path: String, _ error: Int32) -> Flaw {
        Flaw(
            message: "\(path) cannot be read by the server: \(String(cString: strerror(error)))",
            allowed: "it must be a file that holds one key"
        )
    }

    /// The key without the line end that editors leave.
    private static func check(_ text: String, _ what: String) throws(Flaw) -> String {
        var key = text[...]
        while let last = key.last, last.isNewline { key.removeLast() }
        let allowed = "a key is 1 to \(Self.largest) visible ASCII characters"
        guard !key.isEmpty else { throw Flaw(message: "\(what) nothing", allowed: allowed) }
        guard key.utf8.count <= Self.largest, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Flaw(message: "\(what) what no header can carry", allowed: allowed)
        }
        return String(key)
    }
}
