/// What an API remembers of modules that its workers missed.
struct MissingModules {
    /// Versions in whose place one with more packages is started: how their own starts end is of no account.
    private var replaced: [LocalVersion] = []
    /// The successor of the version that serves, which has more packages.
    private var `extension`: LocalVersion?
    /// Those that the extension is for.
    private var wanted: Set<String> = []
    /// Modules for which nothing could be added: until the next deploy it is not tried again.
    private var hopeless: Set<String> = []
    /// What to do about the last module that a worker missed, by the worker.
    private var advice: [String: String] = [:]
    private var lastAttempt = 0
    /// How long the network was given the last time; nil where it did its part.
    private var lastPause: Duration?

    /// A number for another version of a deployment that has one.
    mutating func nextAttempt() -> Int {
        self.lastAttempt += 1
        return self.lastAttempt
    }

    /// A deployment was wished for: what was hopeless may be no more.
    ///
    /// - Returns: The extension that it interrupts.
    mutating func applied() -> LocalVersion? {
        defer { self.extension = nil }
        self.hopeless = []
        self.wanted = []
        self.lastPause = nil
        return self.extension
    }

    mutating func replace(_ version: LocalVersion) {
        self.replaced.append(version)
    }

    mutating func extend(by version: LocalVersion) {
        self.extension = version
    }

    mutating func want(_ module: String) {
        self.wanted.insert(module)
    }

    mutating func promoted(_ version: LocalVersion) {
        guard version === self.extension else { return }
        self.extension = nil
        self.wanted = []
        self.lastPause = nil
    }

    mutating func extensionFailed() {
        self.extension = nil
        self.hopeless.formUnion(self.wanted)
        self.wanted = []
    }

    /// The network failed: what was wanted, and how long to wait until it is tried again, twice as long each time.
    mutating func extensionWaits(
        pauses: (first: Duration, longest: Duration)
    ) -> (modules: Set<String>, pause: Duration) {
        let pause = self.lastPause.map { min($0 * 2, pauses.longest) } ?? pauses.first
        self.lastPause = pause
        self.extension = nil
        defer { self.wanted = [] }
        return (self.wanted, pause)
    }

    mutating func ended(_ version: LocalVersion) {
        self.replaced.removeAll { $0 === version }
    }

    mutating func advise(_ text: String, to worker: String) {
        self.advice[worker] = text
    }

    /// What to do about the module that made this worker's start fail.
    mutating func advice(for worker: String) -> String? {
        self.advice.removeValue(forKey: worker)
    }

    func isHopeless(_ module: String) -> Bool { self.hopeless.contains(module) }

    func isReplaced(_ version: LocalVersion) -> Bool { self.replaced.contains { $0 === version } }

    func isExtension(_ version: LocalVersion?) -> Bool { version != nil && version === self.extension }
}
