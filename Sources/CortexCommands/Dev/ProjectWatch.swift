import Foundation

/// Looks at a project again and again, and tells of its changes.
///
/// By looking, and not by the system's notices: those are not to be had on network and shared folders, and a look at a
/// thousand files takes a few milliseconds.
struct ProjectWatch: Sendable {
    private let root: String
    private let configFile: String
    /// Paths that count although they may not be packed.
    private let besides: @Sendable () async -> [String]
    private var state: ChangeState

    /// Takes the project as it is now for known.
    init(root: String, configFile: String, besides: @escaping @Sendable () async -> [String]) async {
        self.root = root
        self.configFile = configFile
        self.besides = besides
        let extra = await besides()
        self.state = .still(ProjectSnapshot(of: root, configFile: configFile, besides: extra))
    }

    /// The next change; nil when the task is cancelled.
    mutating func next() async -> ProjectChange? {
        let clock = ContinuousClock()
        var cost = Duration.zero
        while true {
            do {
                try await Task.sleep(for: self.state.pause(cost: cost))
            } catch {
                return nil
            }
            let began = clock.now
            let extra = await self.besides()
            let snapshot = ProjectSnapshot(of: self.root, configFile: self.configFile, besides: extra)
            let now = clock.now
            cost = now - began
            if let change = self.state.saw(snapshot, at: now) { return change }
        }
    }
}
