import Foundation

/// The file whose text Kubernetes shows as the reason why a container ended.
struct TerminationLog: Sendable {
    /// What Kubernetes keeps of it.
    private static let limit = 4096

    let path: String

    init(environment: [String: String]) {
        self.path = ServerVariable.text("CORTEX_TERMINATION_LOG", in: environment) ?? "/dev/termination-log"
    }

    /// Where there is no such file, nobody asks for it.
    func write(_ reason: String) {
        guard let file = FileHandle(forWritingAtPath: self.path) ?? self.made() else { return }
        defer { try? file.close() }
        try? file.truncate(atOffset: 0)
        try? file.write(contentsOf: Data(Self.cut(reason).utf8))
    }

    private func made() -> FileHandle? {
        guard !self.path.hasPrefix("/dev/"), FileManager.default.createFile(atPath: self.path, contents: nil) else {
            return nil
        }
        return FileHandle(forWritingAtPath: self.path)
    }

    /// As much as is kept, from its beginning; no character is cut in two.
    static func cut(_ text: String) -> String {
        guard text.utf8.count > Self.limit else { return text }
        let mark = " …"
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: Self.limit - mark.utf8.count)
        while end.samePosition(in: text) == nil { end = text.utf8.index(before: end) }
        return text[..<end] + mark
    }
}
