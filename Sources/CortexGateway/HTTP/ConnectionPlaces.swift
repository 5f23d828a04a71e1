import CortexTelemetry
import Logging
import NIOCore
import Synchronization

/// The connections that clients may have, all event loops together.
final class ConnectionPlaces: Sendable {
    /// Further ones that may be open for as long as it takes to refuse them with an answer.
    private static let refusals = 1024

    let limit: Int
    private let open = Atomic<Int>(0)
    private let logger: Logger?
    /// When it was last told that descriptors are short, in nanoseconds of the uptime.
    private let warned = Atomic<UInt64>(0)

    init(limit: Int, logger: Logger?) {
        self.limit = limit
        self.logger = logger
    }

    enum Admission {
        case admitted
        case refused(GatewayError)
        /// There is no room even for telling so.
        case dropped
    }

    /// To be followed by one `leave`, whatever it says.
    func enter(_ channel: any Channel) -> Admission {
        let number = self.open.add(1, ordering: .relaxed).newValue
        let descriptor = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
        if let descriptor {
            let limit = Descriptors.limit
            switch Descriptors.place(of: descriptor, limit: limit) {
            case .ordinary: break
            case .kept:
                self.warn(limit: limit)
                return .refused(.tooFewDescriptors(limit: limit))
            case .last:
                self.warn(limit: limit)
                return .dropped
            }
        }
        if number <= self.limit { return .admitted }
        return number <= self.limit + Self.refusals ? .refused(.tooManyConnections(limit: self.limit)) : .dropped
    }

    /// At most once a minute: it lasts, or comes again and again.
    private func warn(limit: Int) {
        let now = NIODeadline.now().uptimeNanoseconds
        let last = self.warned.load(ordering: .relaxed)
        guard last == 0 || now &- last > 60_000_000_000 else { return }
        guard self.warned.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged else { return }
        self.logger?.warning(
            "connections are refused: the files and connections that the server may have open are used up",
            metadata: ["limit": "\(limit)", "kept": "\(Descriptors.kept(of: limit))", "hint": "raise ulimit -n"]
        )
    }

    func leave() {
        self.open.subtract(1, ordering: .relaxed)
    }
}
