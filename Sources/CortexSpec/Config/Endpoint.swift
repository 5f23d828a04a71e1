/// The path that an API answers at, as it is written everywhere but in the user's file: a leading `/`, no trailing one.
struct Endpoint: Hashable {
    /// First segments that the server keeps for itself.
    static let reservedSegments: Set<String> = [
        "livez", "readyz", "healthz", "ping", "v2", "docs", "openapi.json", "metrics", "predict",
    ]
    static let maximumLength = 1000

    /// Why a text is no endpoint.
    enum Flaw: Error, Equatable {
        case empty
        case tooLong
        case character(Unicode.Scalar)
        case doubleSlash
        case dotSegment
        case reserved(String)
    }

    let path: String

    /// Adds a leading `/` where there is none, and takes one trailing `/` away.
    init(checking text: String) throws(Flaw) {
        var path = text.hasPrefix("/") ? text : "/" + text
        let illegal = path.unicodeScalars.first { scalar in
            !(scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil))
                && !"_-./".unicodeScalars.contains(scalar)
        }
        if let illegal { throw .character(illegal) }
        guard !path.contains("//") else { throw .doubleSlash }
        if path.hasSuffix("/") { path.removeLast() }
        guard !path.isEmpty else { throw .empty }
        guard path.utf8.count <= Self.maximumLength else { throw .tooLong }
        let segments = path.split(separator: "/").map(String.init)
        guard !segments.contains(where: { $0 == "." || $0 == ".." }) else { throw .dotSegment }
        if let first = segments.first, Self.reservedSegments.contains(first) { throw .reserved(first) }
        self.path = path
    }

    /// Nil where the text is no endpoint.
    init?(_ text: String) {
        guard let endpoint = try? Endpoint(checking: text) else { return nil }
        self = endpoint
    }
}

extension Endpoint.Flaw {
    /// What is wrong, and what is allowed.
    func explanation(of text: String) -> (message: String, allowed: String) {
        let characters = "letters, digits, - _ . and / are allowed"
        return switch self {
        case .empty: ("\(text.quoted) is the root, which lists the APIs", "give it at least one segment, such as /iris")
        case .tooLong: ("is too long", "at most \(Endpoint.maximumLength) characters")
        case .character(let scalar): ("\(text.quoted) holds \(String(scalar).quoted)", characters)
        case .doubleSlash: ("\(text.quoted) holds //", "one / between segments")
        case .dotSegment:
            ("\(text.quoted) holds the segment . or ..", "clients resolve these away; name the path itself")
        case .reserved(let segment):
            (
                "\(text.quoted) begins with /\(segment), which the server keeps for itself",
                "any first segment but " + Endpoint.reservedSegments.sorted().joined(separator: ", ")
            )
        }
    }
}
