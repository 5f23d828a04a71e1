import ArgumentParser
import CortexSpec

/// A duration of a drain, as a user types it: `0s` to `1h`.
struct Pause: ExpressibleByArgument, CustomStringConvertible {
    static let allowed = "allowed is a duration from 0s to 1h, such as 30s"

    let duration: Duration

    init?(argument: String) {
        let duration = argument == "0" ? .zero : Duration(goText: argument)
        guard let duration, duration >= .zero, duration <= .seconds(3600) else { return nil }
        self.duration = duration
    }

    /// Tells what is allowed where the text is something else.
    init(checking argument: String) throws {
        guard let pause = Self(argument: argument) else { throw ValidationError(Self.allowed) }
        self = pause
    }

    var description: String { self.duration.goText }
}
