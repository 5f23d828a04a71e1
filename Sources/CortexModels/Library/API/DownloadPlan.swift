/// Which versions an API still wants on disk, and when what failed is tried again.
struct DownloadPlan {
    typealias Key = DiskSlots.Key

    struct Failure: Hashable {
        var error: StorageError
        var attempts: Int
        /// In the library's time.
        var retryAt: Duration
    }

    /// The wait after the first failure; it doubles up to ``longest``.
    let pace: Duration
    static let longest = Duration.seconds(300)

    /// The last is next.
    private var ready: [Key] = []
    private var pending: Set<Key> = []
    private var running: Set<Key> = []
    private var failures: [String: [Key: Failure]] = [:]
    private var nextRetry: Duration?

    init(pace: Duration) {
        self.pace = pace
    }

    /// How many are waiting to be started.
    var count: Int { self.pending.count }

    /// Says which versions of a model are wanted and not on disk; what was wanted of it before is not any more.
    ///
    /// - Parameter keys: The last is started first.
    mutating func want(_ keys: [Key], of model: String) {
        self.failures[model] = self.failures[model]?.filter { keys.contains($0.key) }
        if self.failures[model]?.isEmpty == true { self.failures[model] = nil }
        for key in keys where self.failures[model]?[key] == nil && !self.running.contains(key) {
            if self.pending.insert(key).inserted { self.ready.append(key) }
        }
    }

    /// The next to start; whether it is still wanted is for the caller to say.
    ///
    /// - Parameter isDue: Passes over what is to wait.
    mutating func next(where isDue: (Key) -> Bool = { _ in true }) -> Key? {
        guard let index = self.ready.lastIndex(where: isDue) else { return nil }
        let key = self.ready.remove(at: index)
        self.pending.remove(key)
        self.running.insert(key)
        return key
    }

    /// What ``next()`` gave is not under way any more, whatever has become of it.
    mutating func ended(_ key: Key) {
        self.running.remove(key)
    }

    mutating func succeeded(_ key: Key) {
        self.failures[key.model]?[key] = nil
        if self.failures[key.model]?.isEmpty == true { self.failures[key.model] = nil }
    }

    /// - Parameter jitter: 0 to 1.
    mutating func failed(_ key: Key, _ error: StorageError, now: Duration, jitter: Double) {
        let attempts = (self.failures[key.model]?[key]?.attempts ?? 0) + 1
        let limit = min(self.pace * (1 << min(attempts - 1, 16)), Self.longest)
        let retryAt = now + limit * (0.5 + jitter / 2)
        self.failures[key.model, default: [:]][key] = Failure(error: error, attempts: attempts, retryAt: retryAt)
        self.nextRetry = min(self.nextRetry ?? retryAt, retryAt)
    }

    /// Lines up what has failed long enough ago.
    mutating func retry(now: Duration) {
        guard let nextRetry = self.nextRetry, nextRetry <= now else { return }
        self.nextRetry = nil
        for (key, failure) in self.failures.values.joined() {
            if failure.retryAt <= now {
                if self.pending.insert(key).inserted { self.ready.append(key) }
            } else {
                self.nextRetry = min(self.nextRetry ?? failure.retryAt, failure.retryAt)
            }
        }
    }

    func failure(_ key: Key) -> Failure? { self.failures[key.model]?[key] }

    /// One failure of a model, of its highest version that failed.
    func failure(of model: String) -> StorageError? {
        self.failures[model]?.max { $0.key.version < $1.key.version }?.value.error
    }
}
