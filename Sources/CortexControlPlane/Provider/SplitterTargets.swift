package import CortexSpec

/// The APIs of a splitter as they are at a moment, and what follows from that for the splitter.
///
/// Only those that get requests matter to it: what has no weight is parked, and a shadow is nobody's answer.
package struct SplitterTargets {
    package struct Seen {
        package var target: TrafficSplitterSpec.Target
        /// Nil where there is none of that name.
        package var api: APIObservation?

        package init(target: TrafficSplitterSpec.Target, api: APIObservation?) {
            self.target = target
            self.api = api
        }

        /// Some version of it answers requests, or would, were it not asleep.
        fileprivate var isServing: Bool { self.api?.servingVersion != nil }

        /// `b is updating: its workers are being started again`.
        fileprivate var text: String {
            let reason = self.api?.reason.map { ": \($0.prefix { !$0.isNewline })" } ?? ""
            return "\(self.target.name) is \(self.api?.status.label ?? "not there")\(reason)"
        }
    }

    /// Whether a deployment of the splitter can begin to serve.
    package enum Prospect: Equatable {
        case ready
        case waiting(reason: String)
        case failed(reason: String)
    }

    /// In the order of the splitter.
    package var each: [Seen]

    package init(each: [Seen]) {
        self.each = each
    }

    private var asked: [Seen] { self.each.filter { $0.target.weight > 0 && !$0.target.shadow } }

    package var prospect: Prospect {
        let missing = self.asked.filter { !$0.isServing }
        let failed = missing.filter { $0.api?.status.isFailure ?? false }
        if !failed.isEmpty { return .failed(reason: Self.text(of: failed)) }
        return missing.isEmpty ? .ready : .waiting(reason: "waiting: \(Self.text(of: missing))")
    }

    /// That of a deployment that has begun to serve, with the reason.
    package var status: (APIStatus, String?) {
        let failed = self.asked.filter { $0.api?.status.isFailure ?? false }
        if !failed.isEmpty { return (.error, Self.text(of: failed)) }
        let missing = self.asked.filter { !$0.isServing }
        return missing.isEmpty ? (.live, nil) : (.updating, "waiting: \(Self.text(of: missing))")
    }

    private static func text(of targets: [Seen]) -> String { targets.map(\.text).joined(separator: "; ") }
}

extension APIStatus {
    /// Whether what is asked of the API is not answered, and somebody has to do something about it.
    fileprivate var isFailure: Bool {
        switch self {
        case .error, .crashLoop, .outOfMemory: true
        case .live, .updating, .computeUnavailable, .rolloutFailed: false
        }
    }
}
