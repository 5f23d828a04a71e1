/// What a predictor and the modules of its project import, by whole names; the project's own are not among them.
struct ProjectImports: Hashable, Sendable {
    /// An import that fails makes the code fail.
    var needed: Set<String> = []
    /// The code goes on without these.
    var optional: Set<String> = []
    /// Texts that may be names of modules, in code that imports by names which it computes.
    var mentioned: Set<String> = []
}

extension ProjectImports {
    /// Reads what the scanner prints: `needed numpy`, a line for each; other lines are not its own.
    init(lines: some Sequence<some StringProtocol>) {
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count == 2 else { continue }
            let module = String(words[1])
            switch words[0] {
            case "needed": self.needed.insert(module)
            case "optional": self.optional.insert(module)
            case "mentioned": self.mentioned.insert(module)
            default: break
            }
        }
    }

    /// The same lines, sorted.
    var lines: [String] {
        [("needed", self.needed), ("optional", self.optional), ("mentioned", self.mentioned)]
            .flatMap { word, modules in modules.sorted().map { "\(word) \($0)" } }
    }

    /// The packages that give them, as far as they are known; an import that may fail is not worth a large one.
    var packages: [KnownPackage] {
        let uncertain = self.optional.union(self.mentioned).compactMap { KnownPackages.giving($0) }
        return self.needed.compactMap { KnownPackages.giving($0) } + uncertain.filter { !$0.isLarge }
    }
}
