internal import Synchronization

/// Tells a user how downloads come on, in at most one line every two seconds.
final class DownloadProgress: Sendable {
    private static let quiet = Duration.seconds(2)

    private struct State {
        var lastLine: Duration?
        var finished = 0
    }

    private let total: Int
    private let time: LibraryTime
    private let report: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameter total: How many downloads there are.
    init(total: Int, time: LibraryTime, report: @escaping @Sendable (String) -> Void) {
        self.total = total
        self.time = time
        self.report = report
    }

    /// Some bytes of a version have come.
    func came(_ bytes: Int64, of size: Int64, model: String, version: ModelVersion) {
        let finished: Int? = self.state.withLock { state in
            let now = self.time.elapsed()
            if let last = state.lastLine, now - last < Self.quiet { return nil }
            state.lastLine = now
            return state.finished
        }
        guard let finished else { return }
        let name = model == ModelRequest.singleName ? "" : "\(model.escaped) "
        let place = self.total > 1 ? " (\(finished + 1) of \(self.total))" : ""
        self.report("downloading \(name)version \(version): \(Self.amount(bytes, of: size))\(place)")
    }

    func finished() {
        self.state.withLock { $0.finished += 1 }
    }

    /// `120 of 450 MB`; `1.2 of 3.4 GB`; `17 of 900 kB`.
    static func amount(_ bytes: Int64, of size: Int64) -> String {
        let (unit, name): (Int64, String) =
            size >= 1_000_000_000 ? (1_000_000_000, "GB") : size >= 1_000_000 ? (1_000_000, "MB") : (1000, "kB")
        func text(_ value: Int64) -> String {
            let tenths = (value * 10 + unit / 2) / unit
            return unit == 1_000_000_000 ? "\(tenths / 10).\(tenths % 10)" : "\((tenths + 5) / 10)"
        }
        return "\(text(bytes)) of \(text(size)) \(name)"
    }
}
