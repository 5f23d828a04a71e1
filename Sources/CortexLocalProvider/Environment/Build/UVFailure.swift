import CortexServing

/// Reads off what uv said why it failed, and which line of the project that is about.
///
/// Releases of uv differ in how they draw an error, and wrap it at different widths, so that only its words count. What is
/// not understood is told in uv's own.
struct UVFailure {
    /// What was to be installed.
    let requirements: RequirementFiles
    let plan: PackagePlan
    let interpreter: PythonInterpreter
    /// All lines, or the last ones.
    let lines: [String]
    /// The same in one line, without what is drawn around them.
    let text: String
    let sources: PackageSources

    /// - Parameter variables: The user's, with those that uv was started with.
    init(
        requirements: RequirementFiles,
        plan: PackagePlan,
        interpreter: PythonInterpreter,
        variables: ProcessEnvironment = ProcessEnvironment([:]),
        lines: [String]
    ) {
        self.sources = PackageSources(variables: variables, places: requirements.places)
        self.requirements = requirements
        self.plan = plan
        self.interpreter = interpreter
        self.lines = lines
        self.text = lines.flatMap { line in
            line.split { $0.isWhitespace || "×╰─▶├│".contains($0) }
        }
        .joined(separator: " ").replacing("Caused by: ", with: "").replacing("cause: ", with: "")
    }

    var failure: BuildFailure {
        self.diskFailure ?? self.fileFailure ?? self.hashFailure ?? self.networkFailure ?? self.buildFailure
            ?? self.pythonFailure ?? self.missingFailure ?? self.conflict
            ?? BuildFailure(reason: "the packages cannot be installed: \(self.ownWords)")
    }

    /// What uv calls the error.
    private var ownWords: String {
        let heads = ["error: ", "× "]
        for line in self.lines {
            let line = line.drop { $0.isWhitespace }
            for head in heads where line.hasPrefix(head) { return String(line.dropFirst(head.count)) }
        }
        return self.lines.last.map { String($0.drop { $0.isWhitespace }) } ?? "uv says nothing"
    }

    func about(_ name: some StringProtocol, _ reason: String, isTransient: Bool = false) -> BuildFailure {
        let bare = name.prefix { $0.isLetter || $0.isNumber || "-_.".contains($0) }
        if let entry = self.requirements.entry(asking: bare) {
            return BuildFailure(
                place: entry.place,
                subject: entry.line.text.prefix { $0 != ";" }.split(separator: " --hash").first.map {
                    Self.trimmed($0)
                },
                reason: reason,
                isTransient: isTransient
            )
        }
        let known = RequirementLine.normalized(bare)
        if let (_, why) = self.added.first(where: { RequirementLine(number: 0, text: $0.requirement).name == known }) {
            return BuildFailure(reason: "\(bare), \(why): \(reason)", isTransient: isTransient)
        }
        // A dependency of something in a file: the line that leads to it is the one to change.
        if let entry = self.requirements.entries.first(where: { self.mentions($0.line.name, besides: known) }) {
            let reason = "\(bare), which it needs: \(reason)"
            return BuildFailure(
                place: entry.place,
                subject: entry.line.text,
                reason: reason,
                isTransient: isTransient
            )
        }
        let leading = self.added.first { requirement, _ in
            self.mentions(RequirementLine(number: 0, text: requirement).name, besides: known)
        }
        if let (requirement, why) = leading {
            let reason = "\(bare), which \(requirement) needs, \(why): \(reason)"
            return BuildFailure(reason: reason, isTransient: isTransient)
        }
        return BuildFailure(subject: String(name), reason: reason, isTransient: isTransient)
    }

    /// What no file asks for, and who does.
    private var added: [(requirement: String, why: String)] {
        WorkerPackage.requirements.map { ($0, "which Cortex's worker needs") }
            + self.plan.requirements.filter { !WorkerPackage.requirements.contains($0) }
            .map { ($0, "which the predictor needs") }
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// Whether uv speaks of a package of that name.
    private func mentions(_ name: String?, besides other: String = "") -> Bool {
        guard let name, name != other else { return false }
        return self.text.split { !($0.isLetter || $0.isNumber || "-_.".contains($0)) }.contains { word in
            RequirementLine.normalized(word.reversed().drop { $0 == "." }.reversed().map(String.init).joined()) == name
        }
    }

    // MARK: What may be wrong

    private var diskFailure: BuildFailure? {
        guard self.text.contains("No space left on device") || self.text.contains("os error 28") else { return nil }
        return BuildFailure(
            reason: "the disk is full; `cortex prune` frees environments that nothing uses, `uv cache clean` downloads"
        )
    }

    /// A line of a file that cannot be read.
    private var fileFailure: BuildFailure? {
        if let match = self.text.firstMatch(of: /Couldn't parse requirement in `([^`]+)` at position (\d+) (.*)/) {
            return self.at(match.1, offset: Int(match.2) ?? 0, reason: "is no requirement: \(match.3)")
        }
        if let match = self.text.firstMatch(of: /Error parsing included file in `([^`]+)` at position (\d+) (.*)/) {
            return self.at(match.1, offset: Int(match.2) ?? 0, reason: String(match.3))
        }
        if let match = self.text.firstMatch(
            of: /(Unexpected .+?|Invalid .+?|Unsupported .+?)(?: at|:) (\S+?):(\d+):\d+/
        ),
            let file = self.requirements.files.first(where: { match.2 == $0.path || match.2.hasSuffix("/\($0.path)") })
        {
            return self.line(Int(match.3) ?? 0, of: file, reason: "is no requirement: \(match.1)")
        }
        if let match = self.text.firstMatch(of: /TOML parse error at line (\d+), column \d+ (.*)/) {
            let place = "pyproject.toml:\(match.1)"
            if let field = match.2.firstMatch(of: /the required `project\.(\w+)` field is/)?.1 {
                return BuildFailure(place: place, reason: "[project] has no \(field), which it must have")
            }
            // The line and a mark below it come before the words.
            let words = match.2.split(separator: "^ ").last ?? match.2
            return BuildFailure(place: place, reason: "cannot be read: \(words)")
        }
        if let match = self.text.firstMatch(of: /Distribution not found at: (\S+)/) {
            let name = match.1.split(separator: "/").last ?? ""
            let entry = self.requirements.entries.first { $0.line.text.contains(name) }
            return BuildFailure(place: entry?.place, subject: entry?.line.text, reason: "there is nothing at that path")
        }
        return nil
    }

    private func at(_ path: Substring, offset: Int, reason: String) -> BuildFailure {
        guard let file = self.requirements.files.first(where: { path == $0.path || path.hasSuffix("/\($0.path)") })
        else { return BuildFailure(place: String(path), reason: reason) }
        let number = file.content.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1
        return self.line(number, of: file, reason: reason)
    }

    private func line(_ number: Int, of file: RequirementFiles.File, reason: String) -> BuildFailure {
        let entry = self.requirements.entries.last { $0.file == file.path && $0.line.number <= number }
        return BuildFailure(place: "\(file.path):\(number)", subject: entry?.line.text, reason: reason)
    }

    private var hashFailure: BuildFailure? {
        if let match = self.text.firstMatch(of: /Hash mismatch for `([^`]+)` Expected: (\S+) Computed: (\S+)/) {
            return self.about(match.1, "the file in the index has another hash, \(match.3)")
        }
        guard
            let match = self.text.firstMatch(
                of: /In `--require-hashes` mode, all requirements must have (.+?), but found: (\S+)/
            )
        else { return nil }
        return self.about(match.2, "with --require-hashes, all requirements must have \(match.1)")
    }

    /// A package that had to be built here, and could not be.
    private var buildFailure: BuildFailure? {
        let isBackend = self.text.contains("The build backend returned an error")
        let named = self.text.firstMatch(of: /Failed to (?:download and )?build:? `([^`]+)`/)?.1
        guard isBackend || named != nil else { return nil }
        let machine = "Python \(self.interpreter.version) on \(self.interpreter.platform)"
        var reason = "it cannot be built here"
        if let outdated = Outdated.reason(in: self.text, python: self.interpreter.version) {
            reason = "there is no ready-made build of it for \(machine), and its sources are \(outdated)"
        } else if let missing = Compiler.missing(in: self.text) {
            reason = "there is no ready-made build of it for \(machine), and making one needs \(missing)"
        } else if let last = self.lines.last(where: { $0.contains("Error: ") || $0.contains("error: ") }) {
            reason += ": \(last.drop { $0.isWhitespace })"
        }
        // A package in the project is told by its folder.
        guard let named else {
            let file = self.requirements.root
            return BuildFailure(place: file == RequirementFiles.rootFile ? nil : file, reason: reason)
        }
        if let path = named.firstMatch(of: /file:\/\/(\S+)/) {
            let name = path.1.split(separator: "/").last ?? ""
            let entry = self.requirements.entries.first { entry in
                guard case .leadsIntoProject = entry.line.kind else { return false }
                return entry.line.text.hasSuffix(name)
                    || entry.line.text.split(separator: " ").last.map { $0.hasPrefix(".") } ?? false
            }
            return BuildFailure(place: entry?.place, subject: entry?.line.text ?? String(named), reason: reason)
        }
        return self.about(named, reason)
    }

    /// A package that does not run on the environment's Python.
    private var pythonFailure: BuildFailure? {
        let has = "Python \(self.interpreter.version)"
        let advice = "ask for a release that does, or for another Python in .python-version"
        let pattern = /current Python version \((\S+)\) does not satisfy Python(\S+?) and (\S+) depends on Python/
        if let match = self.text.firstMatch(of: pattern) {
            return self.about(match.3, "needs Python \(match.2), and its environment has \(has); \(advice)")
        }
        if let match = self.text.firstMatch(of: /(?:Because|And because) (\S+) requires Python (\S+)/) {
            return self.about(match.1, "needs Python \(match.2), and its environment has \(has); \(advice)")
        }
        let wheels = /(?:Because|And because) (\S+) has no (?:usable wheels|wheels with a matching (.+?) tag)/
        guard let match = self.text.firstMatch(of: wheels) else { return nil }
        return self.about(
            match.1,
            "there is no build of it for \(has) on \(self.interpreter.platform); \(advice)"
        )
    }

    /// Requirements that cannot all be met.
    private var conflict: BuildFailure? {
        guard self.text.contains("unsatisfiable") || self.text.contains("No solution found") else { return nil }
        let own = self.requirements.entries.filter { self.mentions($0.line.name) }
        let needs = self.added.filter { requirement, _ in
            self.mentions(RequirementLine(number: 0, text: requirement).name)
        }
        guard let first = own.first else {
            return BuildFailure(reason: "what the predictor needs cannot be installed together: \(self.explanation)")
        }
        var others = own.dropFirst().map { "\($0.line.text) (\($0.place))" }
        // Where two lines of the user's own differ, nobody else is to blame.
        if others.isEmpty { others = needs.map { "\($0), \($1)" } }
        let beside = others.isEmpty ? "" : " beside \(others.joined(separator: " and "))"
        return BuildFailure(
            place: first.place,
            subject: first.line.text,
            reason: "cannot be installed\(beside): \(self.explanation)"
        )
    }

    private var explanation: String {
        guard let start = self.text.firstRange(of: "Because ") else { return self.ownWords }
        let rest = self.text[start.upperBound...]
        return String(rest.prefix(upTo: rest.firstRange(of: ", we can conclude")?.lowerBound ?? rest.endIndex))
    }
}
