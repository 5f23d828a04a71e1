import CortexSpec

/// Which APIs have to be looked after, each by one at a time; a value that does nothing itself.
struct WorkQueue: Sendable {
    /// How many are looked after at once: what one API server answers without being slowed down.
    static let limit = 8

    private(set) var waiting: [APIName] = []
    /// The same, to be asked.
    private var isWaiting: Set<APIName> = []
    private var running: Set<APIName> = []
    /// How often in a row each has failed.
    private var failures: [APIName: Int] = [:]

    /// Once more, also where it is looked after now.
    mutating func add(_ api: APIName) {
        if self.isWaiting.insert(api).inserted { self.waiting.append(api) }
    }

    /// The next that is to be looked after; nil where there is none, or enough are.
    mutating func next() -> APIName? {
        guard self.running.count < Self.limit,
            let index = self.waiting.firstIndex(where: { !self.running.contains($0) })
        else { return nil }
        let api = self.waiting.remove(at: index)
        self.isWaiting.remove(api)
        self.running.insert(api)
        return api
    }

    /// - Returns: How long to wait before the next try; nil where it went well.
    mutating func finished(_ api: APIName, failed: Bool) -> Duration? {
        self.running.remove(api)
        guard failed else {
            self.failures[api] = nil
            return nil
        }
        let count = self.failures[api, default: 0] + 1
        self.failures[api] = count
        // 1, 2, 4 … 30 seconds.
        return .seconds(min(30, 1 << min(count - 1, 5)))
    }
}
