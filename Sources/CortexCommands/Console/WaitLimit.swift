import ArgumentParser
import CortexSpec

/// A duration on the command line: `90s`, `10m`, `1h30m`.
struct WaitLimit: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration

    init(_ duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        guard let duration = Duration(goText: argument), duration > .zero else { return nil }
        self.duration = duration
    }

    var description: String { self.duration.goText }
    var defaultValueDescription: String { self.description }
}
