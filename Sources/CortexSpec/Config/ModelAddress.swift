/// Where models are, as `model_path` and `dir` say it: a path of this machine, or a URL of a store.
package enum ModelAddress: Hashable, Sendable {
    /// Absolute, `~/…`, or relative to the project; not normalised.
    case path(String)
    /// Its scheme in small letters; ends in `/`.
    case url(String)

    /// Why a text is no such place.
    package struct Flaw: Error, Hashable, Sendable {
        package var message: String
        package var allowed: String

        package init(message: String, allowed: String) {
            self.message = message
            self.allowed = allowed
        }
    }

    /// Reads the text of `model_path`; nothing is looked up.
    package static func parse(_ text: String) throws(Flaw) -> ModelAddress {
        guard !text.isEmpty else { throw Flaw(message: "is empty", allowed: Self.forms) }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            throw Flaw(message: "\(text.quoted) has a control character in it", allowed: Self.forms)
        }
        guard let end = text.firstRange(of: "://")?.lowerBound, Self.isScheme(text[..<end]) else {
            if text.hasPrefix("~"), text != "~", !text.hasPrefix("~/") {
                throw Flaw(message: "\(text.quoted) names another user's home", allowed: "write the whole path")
            }
            return .path(text)
        }
        let scheme = text[..<end].lowercased()
        let place = text[end...].dropFirst(3)
        return scheme == "file" ? try Self.file(place, text) : try Self.store(scheme, place, text)
    }

    private static let forms = "it must be a folder: s3://bucket/folder, or a path"

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }

    private static func file(_ place: Substring, _ text: String) throws(Flaw) -> ModelAddress {
        let path = place.hasPrefix("localhost/") ? place.dropFirst("localhost".count) : place
        guard path.hasPrefix("/"), let decoded = Self.percentDecoded(path) else {
            throw Flaw(message: "\(text.quoted) is no file URL", allowed: "such as file:///absolute/path")
        }
        return .path(decoded)
    }

    private static func store(_ scheme: String, _ place: Substring, _ text: String) throws(Flaw) -> ModelAddress {
        guard let example = Self.stores[scheme] else {
            throw Flaw(
                message: "\(scheme):// is not supported",
                allowed: "it must be s3://, gs://, az://, abfs://, http(s)://, or a path"
            )
        }
        let parts = place.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let authority = parts.first ?? ""
        // abfs://container@account.dfs.core.windows.net names no user.
        let isContainer = scheme.hasPrefix("abfs") && !authority.contains(":")
        if authority.contains("@"), !isContainer {
            // The text is not repeated: what stands before the @ may be a password.
            throw Flaw(
                message: "the URL holds a user name or password",
                allowed: "leave them out of the file, and set the store's variables (AWS_ACCESS_KEY_ID, …) instead"
            )
        }
        if let mark = place.first(where: { $0 == "?" || $0 == "#" }) {
            throw Flaw(
                message: "the URL has a \(mark) in it",
                allowed: "it must name a folder, without query and fragment"
            )
        }
        if authority.isEmpty { throw Flaw(message: "\(text.quoted) is incomplete", allowed: "such as \(example)") }
        var folder = parts.count > 1 ? parts[1] : ""
        while folder.hasSuffix("/") { folder.removeLast() }
        if scheme == "s3", folder.isEmpty {
            throw Flaw(
                message: "\(text.quoted) names a whole bucket",
                allowed: "name a folder in it, such as \(example)"
            )
        }
        let names = folder.split(separator: "/", omittingEmptySubsequences: false)
        if names.contains(".") || names.contains("..") {
            throw Flaw(message: "\(text.quoted) has . or .. as a part", allowed: "write the folder's own path")
        }
        return .url("\(scheme)://\(authority)/\(folder)\(folder.isEmpty ? "" : "/")")
    }

    /// The schemes that stores have, each with an example.
    private static let stores = [
        "s3": "s3://bucket/folder",
        "gs": "gs://bucket/folder",
        "az": "az://container/folder",
        "abfs": "abfs://container@account.dfs.core.windows.net/folder",
        "abfss": "abfss://container@account.dfs.core.windows.net/folder",
        "http": "http://host/folder",
        "https": "https://host/folder",
    ]

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
                let value = UInt8(String(Substring(digits)), radix: 16), value >= 0x20, value != 0x7F
            else { return nil }
            bytes.append(value)
            rest.removeFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
