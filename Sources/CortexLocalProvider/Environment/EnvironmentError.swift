/// Why an API has no Python environment.
package enum EnvironmentError: Error, Hashable, Sendable {
    /// No Python where one was looked for.
    case noInterpreter(searched: String)
    /// A Python that does not run, or cannot carry workers.
    case unsuitableInterpreter(path: String, reason: String)
    /// No uv is there, and it could not be installed; the last lines of the attempt.
    case noUV(reason: String)
    /// uv refused; its last lines, and the file that has all of them.
    case buildFailed(step: String, output: [String], log: String)
    /// The operating system refused; `reason` is its text.
    case system(operation: String, path: String, reason: String)
}

extension EnvironmentError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noInterpreter(let searched):
            "no Python found (\(searched)); install CPython 3.9 or newer, or name one in CORTEX_PYTHON"
        case .unsuitableInterpreter(let path, let reason):
            "\(path) cannot be used: \(reason); name a CPython 3.9 or newer in CORTEX_PYTHON"
        case .noUV(let reason):
            "uv, which makes Python environments, is not there and cannot be installed: \(reason)"
        case .buildFailed(let step, let output, let log):
            "\(step) failed:\n" + output.map { "  \($0)\n" }.joined() + "all of its output: \(log)"
        case .system(let operation, let path, let reason):
            "cannot \(operation) \(path): \(reason)"
        }
    }
}
