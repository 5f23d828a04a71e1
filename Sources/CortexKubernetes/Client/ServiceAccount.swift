import Foundation
import NIOCore
import Synchronization

/// The token of this process, read again each minute and whenever it is refused.
final class ServiceAccount: Sendable {
    private struct Known {
        var token: String?
        var readAt: NIODeadline?
    }

    private let file: String?
    private let known = Mutex(Known())

    init(file: String?) {
        self.file = file
    }

    /// Nil where there is none, or none can be read.
    func token(now: NIODeadline = .now()) -> String? {
        guard let file = self.file else { return nil }
        return self.known.withLock { known in
            if let readAt = known.readAt, now - readAt < .minutes(1) { return known.token }
            known.readAt = now
            // One that cannot be read now (its file is being replaced) is better than none.
            guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return known.token }
            known.token = text.trimmingCharacters(in: .whitespacesAndNewlines)
            return known.token
        }
    }

    /// To be called where the token was refused.
    func forget() {
        self.known.withLock { $0.readAt = nil }
    }
}
