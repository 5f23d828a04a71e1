/// Packages that the places they come from do not give.
extension UVFailure {
    var networkFailure: BuildFailure? {
        if let match = self.text.firstMatch(of: /An index URL \((\S+)\) could not be queried .*?\((40[13] \w+)\)/) {
            return self.refusal(match.1, status: match.2)
        }
        if let match = self.text.firstMatch(of: /HTTP status (?:client|server) error \((\d+ .+?)\) for url \((\S+)\)/) {
            return self.refusal(match.2, status: match.1)
        }
        if let failure = self.offlineFailure { return failure }
        if self.text.contains("Git operation failed") { return self.gitFailure }
        let signs = [
            "dns error", "tcp connect error", "Connection refused", "operation timed out", "client error (Connect)",
            "error sending request", "Could not connect, are you offline", "connection reset", "Network is unreachable",
            "tunnel error",
        ]
        guard signs.contains(where: { self.text.contains($0) }) else { return nil }
        let url = self.text.firstMatch(of: /https?:\/\/[^\s`)]+/)?.0 ?? ""
        let detail = self.lines.last { line in signs.contains { line.contains($0) } || line.contains("lookup") }
        let words = detail?.split(separator: ": ", maxSplits: 1).last ?? "no connection"
        let cause = words.drop { $0.isWhitespace }
        let host = PackageSources.host(url)
        let entry = self.entry(at: url)
        var failure = BuildFailure(
            place: entry?.place,
            subject: (entry?.line.text).map(ToolCommand.withoutPasswords),
            reason: "\(host) cannot be reached (\(cause))",
            isTransient: true
        )
        if let proxy = self.sources.proxy(for: url) {
            failure.reason =
                "\(host) cannot be reached through the proxy \(proxy.address) (\(proxy.variable)): \(cause); "
                + "name the hosts that need no proxy in NO_PROXY"
        } else if entry == nil {
            failure.reason +=
                "; packages come from there. "
                + "Without a network, name a folder of wheels in UV_FIND_LINKS and set UV_NO_INDEX=1"
        }
        return failure
    }

    private func refusal(_ url: Substring, status: Substring) -> BuildFailure {
        let entry = self.entry(at: url)
        let host = PackageSources.host(url)
        return BuildFailure(
            place: entry?.place,
            subject: (entry?.line.text).map(ToolCommand.withoutPasswords),
            reason: entry == nil ? "the package index at \(host) answers \(status)" : "\(host) answers \(status)",
            isTransient: status.hasPrefix("5")
        )
    }

    /// The line that asks for what is at an address itself, whatever passwords are in it.
    private func entry(at url: some StringProtocol) -> RequirementFiles.Entry? {
        let address = Self.bare(url)
        guard !address.isEmpty else { return nil }
        return self.requirements.entries.first { entry in
            guard !entry.line.text.hasPrefix("-") || entry.line.text.hasPrefix("-e") else { return false }
            return entry.line.text.split { $0.isWhitespace }.contains { Self.bare($0) == address }
        }
    }

    /// An address without its scheme, user, query and fragment; empty for what is none.
    private static func bare(_ url: some StringProtocol) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "" }
        let rest = url[scheme.upperBound...].prefix { !"?#".contains($0) }
        let authority = rest.prefix { $0 != "/" }
        return "\(authority.split(separator: "@").last ?? "")\(rest.dropFirst(authority.count))"
    }

    // MARK: Git

    private var gitFailure: BuildFailure {
        let entry = self.gitEntry
        // The first is the cause; what follows are its consequences.
        let said = self.lines.lazy.compactMap { line in line.firstRange(of: "fatal: ").map { line[$0.upperBound...] } }
        let words = said.first ?? "see its log"
        let isAway = words.contains("Could not resolve host") || words.contains("unable to access")
        return BuildFailure(
            place: entry?.place,
            subject: (entry?.line.text).map(ToolCommand.withoutPasswords),
            reason: "git cannot fetch it: \(words)",
            isTransient: isAway
        )
    }

    /// The line that leads to the repository that uv speaks of.
    private var gitEntry: RequirementFiles.Entry? {
        let entries = self.requirements.entries.filter { $0.line.text.contains("git+") }
        let named = entries.first { entry in
            let word = entry.line.text.split { $0.isWhitespace }.first { $0.contains("git+") } ?? ""
            // What follows the path's `@` is a branch, a tag or a commit.
            let repository = Self.bare(word).prefix { $0 != "@" }
            return !repository.isEmpty && self.text.contains(repository)
        }
        return named ?? entries.first
    }

    // MARK: What is not there

    /// Something at an address, while no network may be used.
    private var offlineFailure: BuildFailure? {
        guard self.text.contains("etwork connectivity is disabled") else { return nil }
        let url = self.text.firstMatch(of: /https?:\/\/[^\s`)]+/)?.0 ?? ""
        let entry = self.text.contains("Git operation failed") ? self.gitEntry : self.entry(at: url)
        return BuildFailure(
            place: entry?.place,
            subject: (entry?.line.text).map(ToolCommand.withoutPasswords),
            reason: "is not in uv's cache, and the network may not be used\(self.offlineCause)"
        )
    }

    private var offlineCause: String {
        self.sources.offlineVariable.map { " (\($0) is set)" } ?? ""
    }

    /// A package, or a release, that is not there.
    var missingFailure: BuildFailure? {
        let isOffline = self.text.contains("network was disabled")
        let package = /(\S+) was not found in (?:the package registry|the cache|the provided package locations)/
        if let match = self.text.firstMatch(of: package) {
            guard !isOffline, self.text.contains("in the package registry") else {
                let reason = "is not in the folder of wheels or in uv's cache, and no index may be asked"
                return self.about(match.1, reason + self.offlineCause)
            }
            return self.about(match.1, "not found in \(self.sources.index); is it misspelt?")
        }
        guard let match = self.text.firstMatch(of: /there (?:is|are) no versions? of (\S+?),? (?:and|we|that)/) else {
            return nil
        }
        let source = isOffline ? "the folder of wheels or in uv's cache\(self.offlineCause)" : self.sources.index
        return self.about(match.1, "there is no such release in \(source)")
    }
}
