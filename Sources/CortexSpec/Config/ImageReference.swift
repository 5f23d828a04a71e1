/// The name of a container image: `registry:port/path/name:tag@digest`, all but a path optional.
enum ImageReference {
    static func isLegal(_ text: String) -> Bool {
        var rest = Substring(text)
        guard rest.utf8.count <= 512 else { return false }
        if let at = rest.lastIndex(of: "@") {
            let digest = rest[rest.index(after: at)...].split(separator: ":", omittingEmptySubsequences: false)
            guard digest.count == 2, Self.isWord(digest[0]), digest[1].count >= 32, digest[1].allSatisfy(\.isHexDigit)
            else { return false }
            rest = rest[..<at]
        }
        let slash = rest.lastIndex(of: "/") ?? rest.startIndex
        if let colon = rest[slash...].lastIndex(of: ":") {
            let tag = rest[rest.index(after: colon)...]
            guard Self.isWord(tag), tag.count <= 128, tag.first != ".", tag.first != "-" else { return false }
            rest = rest[..<colon]
        }
        var parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count > 1, let host = parts.first, host.contains(".") || host.contains(":") || host == "localhost" {
            guard Self.isHost(host) else { return false }
            parts.removeFirst()
        }
        return parts.allSatisfy(Self.isPathComponent)
    }

    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-+".contains($0)) }
    }

    private static func isHost(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, Self.isWord(parts[0]) else { return false }
        return parts.count == 1 || (Int(parts[1]).map { (1...65535).contains($0) } ?? false)
    }

    private static func isPathComponent(_ text: Substring) -> Bool {
        let isAlphanumeric: (Character?) -> Bool = { $0.map { $0.isASCII && ($0.isLowercase || $0.isNumber) } ?? false }
        return isAlphanumeric(text.first) && isAlphanumeric(text.last)
            && text.allSatisfy { isAlphanumeric($0) || "._-".contains($0) }
    }
}
