import ArgumentParser

/// How results are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case pretty
    /// JSON on standard output, and nothing else there.
    case json
}

/// `-o`, of every command that lists.
struct OutputOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "How results are printed: pretty or json.")
    var output: OutputFormat = .pretty
}
