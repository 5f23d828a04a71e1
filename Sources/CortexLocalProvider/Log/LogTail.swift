import Foundation

/// The end of a log, the files it rotated to included.
enum LogTail {
    /// At most `last` lines, oldest first; read from the end, so that a long log costs no more than what is shown.
    static func lines(of path: String, last: Int) -> [String] {
        guard last > 0 else { return [] }
        var lines: [String] = []
        for file in [path, "\(path).1", "\(path).2", "\(path).3", "\(path).4"] {
            guard lines.count < last, let tail = Self.tail(of: file, lines: last - lines.count) else { break }
            lines = tail + lines
        }
        return lines
    }

    private static func tail(of path: String, lines wanted: Int) -> [String]? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        guard var position = try? file.seekToEnd() else { return nil }
        var data = Data()
        var newlines = 0
        // One newline more than lines: the one before the first.
        while position > 0, newlines <= wanted {
            let step = min(position, 64 << 10)
            position -= step
            guard (try? file.seek(toOffset: position)) != nil, let piece = try? file.read(upToCount: Int(step)) else {
                break
            }
            newlines += piece.count { $0 == 0x0A }
            data = piece + data
        }
        var lines = data.split(separator: 0x0A)
        if position > 0, !lines.isEmpty, newlines > wanted { lines = lines.suffix(wanted) }
        return lines.suffix(wanted).map { String(decoding: $0, as: UTF8.self) }
    }
}
