/// Who waits for which build.
struct EnvironmentBuilds {
    struct Waiter {
        var progress: @Sendable (BuildProgress) -> Void
        var continuation: CheckedContinuation<PythonEnvironment, any Error>
    }

    /// What a waiter's leaving asks for.
    enum OnLeave {
        /// It is not waiting any more.
        case nothing
        /// Others wait on: this one goes alone.
        case resume(Waiter)
        /// It was the last: end the build, whose end resumes it.
        case cancel(Task<Void, Never>?)
    }

    private struct Build {
        let key: EnvironmentKey
        var waiters: [UInt64: Waiter]
        /// The step that it is at, for those who join it there.
        var step: BuildProgress?
        var task: Task<Void, Never>?
    }

    private var builds: [UInt64: Build] = [:]
    /// The build that new waiters for a key join; a build being cancelled is not among them.
    private var current: [EnvironmentKey: UInt64] = [:]
    private var lastID: UInt64 = 0

    /// A number for a waiter or a build.
    mutating func nextID() -> UInt64 {
        self.lastID += 1
        return self.lastID
    }

    /// Adds a waiter; returns the number of a build to start where none is running for the key.
    mutating func join(_ waiter: Waiter, as id: UInt64, key: EnvironmentKey) -> UInt64? {
        if let build = self.current[key] {
            self.builds[build]?.waiters[id] = waiter
            if let step = self.builds[build]?.step { waiter.progress(step) }
            return nil
        }
        let build = self.nextID()
        self.builds[build] = Build(key: key, waiters: [id: waiter])
        self.current[key] = build
        return build
    }

    mutating func started(_ build: UInt64, task: Task<Void, Never>) {
        self.builds[build]?.task = task
    }

    /// Notes what a build says; returns who is to hear it.
    mutating func said(_ progress: BuildProgress, by build: UInt64) -> [Waiter] {
        if case .step = progress { self.builds[build]?.step = progress }
        return self.builds[build].map { Array($0.waiters.values) } ?? []
    }

    mutating func leave(_ id: UInt64) -> OnLeave {
        guard let number = self.builds.first(where: { $0.value.waiters[id] != nil })?.key,
            var build = self.builds[number]
        else { return .nothing }
        if build.waiters.count == 1 {
            if self.current[build.key] == number { self.current[build.key] = nil }
            return .cancel(build.task)
        }
        guard let waiter = build.waiters.removeValue(forKey: id) else { return .nothing }
        self.builds[number] = build
        return .resume(waiter)
    }

    /// Forgets a build; returns who is to get its result.
    mutating func finish(_ number: UInt64) -> [Waiter] {
        guard let build = self.builds.removeValue(forKey: number) else { return [] }
        if self.current[build.key] == number { self.current[build.key] = nil }
        return Array(build.waiters.values)
    }
}
