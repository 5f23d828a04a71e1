/// Why an API has no Python environment.
package enum EnvironmentError: Error, Hashable, Sendable {
    /// No Python where one was looked for.
    case noInterpreter(searched: String)
    /// A Python that does not run, or cannot carry workers.
    case unsuitableInterpreter(path: String, reason: String)
    /// `CORTEX_PYTHON` names nothing that can carry workers.
    case badNamedPython(name: String, reason: String, found: [PythonInterpreter])
    /// No Python here is of a version that the project asks for.
    case noSuchPython(place: String, wish: String, found: [PythonInterpreter])
    /// What stands at `place` is no version of CPython.
    case badPythonVersion(place: String, text: String)
    /// No uv is there, and it could not be installed; the last lines of the attempt.
    case noUV(reason: String)
    /// The project has a `conda-packages.txt`, and the machine no conda.
    case noConda
    /// A step of the build failed.
    case buildFailed(BuildFailure)
    /// A variable of the server's own surroundings has a value that it cannot have.
    case badVariable(name: String, value: String, allowed: String)
    /// The operating system refused; `reason` is its text.
    case system(operation: String, path: String, reason: String)

    /// Whether a variable of the server's own surroundings is to be mended.
    package var isOfVariable: Bool {
        switch self {
        case .badVariable, .badNamedPython: true
        default: false
        }
    }

    /// Whether the same may well succeed later, with nothing changed: the network was to blame.
    package var isTransient: Bool {
        switch self {
        case .buildFailed(let failure): failure.isTransient
        case .noUV: true
        default: false
        }
    }
}

extension EnvironmentError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noInterpreter(let searched):
            "no Python found (\(searched)); install CPython 3.9 or newer, or name one in CORTEX_PYTHON"
        case .unsuitableInterpreter(let path, let reason):
            "\(path) cannot be used: \(reason); name a CPython 3.9 or newer in CORTEX_PYTHON"
        case .badNamedPython(let name, let reason, let found):
            "CORTEX_PYTHON is \(name), \(reason); name a CPython 3.9 or newer\(Self.list(found))"
        case .noSuchPython(let place, let wish, let found):
            "\(place): Python \(wish) is not on this machine\(Self.list(found)). "
                + "Install it (such as with `uv python install`), or ask for another; Cortex runs CPython 3.9 and newer"
        case .badPythonVersion(let place, let text):
            "\(place): \(text) is no version of CPython; write one such as 3.11 or 3.11.7"
        case .noUV(let reason):
            "uv, which makes Python environments, is not there and cannot be installed: \(reason)"
        case .noConda:
            "conda-packages.txt: there is no conda on this machine (\(CondaTool.names.joined(separator: ", ")) on PATH); "
                + "install micromamba, or list the packages in requirements.txt where PyPI has them"
        case .buildFailed(let failure): "\(failure)"
        case .badVariable(let name, let value, let allowed): "\(name) is \"\(value)\"; allowed is \(allowed)"
        case .system(let operation, let path, let reason):
            "cannot \(operation) \(path): \(reason)"
        }
    }

    private static func list(_ found: [PythonInterpreter]) -> String {
        found.isEmpty ? "" : "; there are " + found.map { "\($0.version) (\($0.path))" }.joined(separator: ", ")
    }
}
