/// The `path` record that goes before the header of a file whose path does not fit it.
enum PaxRecord {
    /// More than any path that is taken; bounds what a reader collects.
    static let maximumSize: Int64 = 16 << 10

    /// `<length> path=<path>\n`, where the length counts its own digits too.
    static func encode(path: String) -> [UInt8] {
        let rest = Array(" path=\(path)\n".utf8)
        var length = rest.count
        while String(length).utf8.count + rest.count != length {
            length = String(length).utf8.count + rest.count
        }
        return Array(String(length).utf8) + rest
    }

    /// The path that the records tell, if they do.
    ///
    /// Times and owners are passed over; all else is refused, as it changes what the archive means.
    static func path(in body: ArraySlice<UInt8>) throws(ProjectError) -> String? {
        var rest = body
        var path: String?
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard let length = Int(String(decoding: digits, as: UTF8.self)), length <= rest.count,
                length > digits.count + 1, rest[digits.endIndex] == 0x20,
                rest[rest.startIndex + length - 1] == UInt8(ascii: "\n")
            else { throw .malformedArchive("a pax record is broken") }
            let record = rest[(digits.endIndex + 1)..<(rest.startIndex + length - 1)]
            rest = rest.dropFirst(length)
            guard let text = String(validating: record, as: UTF8.self), let equals = text.firstIndex(of: "=") else {
                throw .malformedArchive("a pax record is broken")
            }
            switch text[..<equals] {
            case "path": path = String(text[text.index(after: equals)...])
            case "atime", "comment", "ctime", "gid", "gname", "mtime", "uid", "uname": continue
            case let key: throw .malformedArchive("it has the pax record \(key)")
            }
        }
        return path
    }
}
