import NIOHTTP1

/// How a body is encoded on its way here.
enum ContentCoding {
    case identity
    case gzip
    /// The zlib format, as RFC 9110 has it.
    case deflate
    case unsupported(String)

    /// What a client is told that it may use.
    static let accepted = "gzip, deflate"

    /// - Parameter headers: Where `field` was found.
    init(_ field: KnownHeaders.Field, of headers: HTTPHeaders) {
        guard let value = headers.first(field) else {
            self = .identity
            return
        }
        let coding = field.count == 1 ? value : headers["content-encoding"].joined(separator: ", ")
        self =
            switch coding.lowercased() {
            case "", "identity": .identity
            case "gzip", "x-gzip": .gzip
            case "deflate": .deflate
            default: .unsupported(String(coding.prefix(32)))
            }
    }

    var isIdentity: Bool {
        guard case .identity = self else { return false }
        return true
    }
}
