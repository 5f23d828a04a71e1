/// What a prune has freed, or would free.
package struct PruneReport: Hashable, Sendable, Codable {
    /// Whether it was only counted.
    package var isDryRun: Bool
    /// At most one of each kind, and none of a kind that nothing is freed of.
    package var items: [PruneItem]
    /// What could not be removed, in words.
    package var problems: [String]
    /// What frees the bytes that stay in the installer's cache; nil where none do.
    package var cacheCommand: String?

    package init(isDryRun: Bool, items: [PruneItem] = [], problems: [String] = [], cacheCommand: String? = nil) {
        self.isDryRun = isDryRun
        self.items = items.filter { $0.count > 0 }
        self.problems = problems
        self.cacheCommand = cacheCommand
    }

    /// Bytes that the disk has back, of all kinds.
    package var bytes: Int64 { self.items.reduce(0) { $0 + $1.bytes } }
    /// Bytes that stay in the installer's cache, of all kinds.
    package var cachedBytes: Int64 { self.items.reduce(0) { $0 + $1.cachedBytes } }

    private enum CodingKeys: String, CodingKey {
        case items, problems, bytes
        case isDryRun = "dry_run"
        case cacheCommand = "cache_command"
        case cachedBytes = "cached_bytes"
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            isDryRun: try fields.decode(Bool.self, forKey: .isDryRun),
            items: try fields.decode([PruneItem].self, forKey: .items),
            problems: try fields.decode([String].self, forKey: .problems),
            cacheCommand: try fields.decodeIfPresent(String.self, forKey: .cacheCommand)
        )
    }

    /// With the sums, for those who read the JSON.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(self.isDryRun, forKey: .isDryRun)
        try fields.encode(self.items, forKey: .items)
        try fields.encode(self.problems, forKey: .problems)
        try fields.encode(self.bytes, forKey: .bytes)
        try fields.encode(self.cachedBytes, forKey: .cachedBytes)
        try fields.encodeIfPresent(self.cacheCommand, forKey: .cacheCommand)
    }
}

/// What a prune frees of one kind.
package struct PruneItem: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case environments
        /// Packed projects that no deployment can go back to.
        case projects
        /// Logs of builds whose environments are gone.
        case buildLogs = "build_logs"
        /// Logs of APIs that were deleted.
        case apiLogs = "api_logs"
        /// Files of models that no API serves.
        case models
        /// Workers and installers of earlier releases.
        case tools
        /// Unpacked projects that a version left behind.
        case versions
        /// What a process that was killed had begun to remove.
        case leftovers
    }

    package var kind: Kind
    package var count: Int
    /// Bytes that the disk has back.
    package var bytes: Int64
    /// Bytes that stay on disk, since the installer's cache has the same files.
    package var cachedBytes: Int64

    package init(_ kind: Kind, count: Int = 0, bytes: Int64 = 0, cachedBytes: Int64 = 0) {
        self.kind = kind
        self.count = count
        self.bytes = bytes
        self.cachedBytes = cachedBytes
    }

    private enum CodingKeys: String, CodingKey {
        case kind, count, bytes
        case cachedBytes = "cached_bytes"
    }
}
