import Foundation

/// How long ago something was, in one unit: `42s`, `17m`, `5h`, `3d`.
struct Age: CustomStringConvertible {
    private let seconds: Int

    init(since time: Date, now: Date = Date()) {
        self.seconds = max(0, Int(now.timeIntervalSince(time)))
    }

    var description: String {
        switch self.seconds {
        case ..<60: "\(self.seconds)s"
        case ..<3600: "\(self.seconds / 60)m"
        case ..<(48 * 3600): "\(self.seconds / 3600)h"
        default: "\(self.seconds / 86400)d"
        }
    }
}
