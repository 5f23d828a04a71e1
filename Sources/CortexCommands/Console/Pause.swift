import ArgumentParser
import CortexSpec

/// A duration of a drain, as a user types it: `0s` to `1h`.
struct Pause: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration

    init?(argument: String) {
        let duration = argument == "0" ? .zero : Duration(goText: argument)
        guard let duration, duration >= .zero, duration <= .seconds(3600) else { return nil }
        self.duration = duration
    }

    var description: String { self.duration.goText }
}
