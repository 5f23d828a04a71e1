import CFileStatus
import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What Pythons said of themselves, so that none has to be started to be asked again.
///
/// An answer counts while the file is as it was. That of a script (a shim) depends on more than the script, so it is kept for
/// this process only; those of programs are kept on disk too.
actor KnownInterpreters {
    private let file: String
    private let variables: ProcessEnvironment
    private var answers: [String: Answer]

    private struct Answer: Codable {
        var identity: FileIdentity
        /// Nil where it is none that can be used.
        var interpreter: PythonInterpreter?
        var isScript: Bool
    }

    /// - Parameter file: Where answers are kept.
    init(file: String, variables: ProcessEnvironment) {
        self.file = file
        self.variables = variables
        let kept = FileManager.default.contents(atPath: file).flatMap {
            try? JSONDecoder().decode([String: Answer].self, from: $0)
        }
        self.answers = kept ?? [:]
    }

    /// The Python that a project's environment is made from.
    ///
    /// - Parameter wish: What the project asks for; nil leaves it to `CORTEX_PYTHON`, else to `python3` on `PATH`, else to any
    ///   Python that can carry workers.
    func interpreter(for wish: PythonWish?) async throws -> PythonInterpreter {
        guard let wish else { return try await self.standard() }
        let named = try await self.named()
        if let named, wish.ranges.contains(where: { $0.contains(named.version) }) { return named }
        let candidates = InterpreterPlaces(self.variables).candidates()
        for range in wish.ranges {
            // Those that are named after the version that is wanted come first: the rest need not be started.
            let release = range.release
            let likely = candidates.filter { path in
                release.map { path.contains("python\($0)") || path.contains("/\($0)") } ?? false
            }
            for path in candidates.prefix(1) + likely + candidates {
                guard let found = try await self.inspect(path), range.contains(found.version) else { continue }
                return found
            }
        }
        throw EnvironmentError.noSuchPython(
            place: wish.place,
            wish: wish.text,
            found: try await self.all()
        )
    }

    /// Refuses a `CORTEX_PYTHON` that cannot carry workers.
    func checkNamed() async throws {
        do {
            _ = try await self.named()
        } catch let error as EnvironmentError {
            let name = self.variables["CORTEX_PYTHON"] ?? ""
            let reason: String
            switch error {
            case .noInterpreter: reason = "which is no executable"
            case .unsuitableInterpreter(_, let words): reason = "which cannot be used: \(words)"
            default: throw error
            }
            throw EnvironmentError.badNamedPython(name: name, reason: reason, found: try await self.all())
        }
    }

    private func standard() async throws -> PythonInterpreter {
        if let named = try await self.named() { return named }
        let first: any Error
        do {
            guard let path = self.variables.executable("python3") else {
                throw EnvironmentError.noInterpreter(searched: "there is no python3 on PATH")
            }
            if let known = self.known(path) { return known }
            return try await self.remember(path, PythonInterpreter.inspect(path, in: self.variables))
        } catch let error as EnvironmentError {
            first = error
        }
        // Too old, of another kind, or a shim for nothing: then another will do as well.
        guard let other = try await self.all().first else { throw first }
        return other
    }

    /// The one in `CORTEX_PYTHON`, which must be one.
    private func named() async throws -> PythonInterpreter? {
        guard self.variables["CORTEX_PYTHON"] != nil else { return nil }
        let path = self.variables.program(named: "CORTEX_PYTHON")
        if let path, let known = self.known(path) { return known }
        let found = try await PythonInterpreter.find(in: self.variables)
        return path.map { self.remember($0, found) } ?? found
    }

    /// All that can carry workers, newest first, each once.
    private func all() async throws -> [PythonInterpreter] {
        var found: Set<PythonInterpreter> = []
        for path in InterpreterPlaces(self.variables).candidates() {
            if let interpreter = try await self.inspect(path) { found.insert(interpreter) }
        }
        return found.sorted { ($1.version, $0.path) < ($0.version, $1.path) }
    }

    /// Nil for what is no Python that can be used.
    private func inspect(_ path: String) async throws -> PythonInterpreter? {
        if let identity = FileIdentity(of: path), let answer = self.answers[path], answer.identity == identity {
            return answer.interpreter
        }
        do {
            return try await self.remember(path, PythonInterpreter.inspect(path, in: self.variables))
        } catch let error as EnvironmentError {
            guard case .unsuitableInterpreter = error else { throw error }
            self.keep(path, nil)
            return nil
        }
    }

    private func known(_ path: String) -> PythonInterpreter? {
        guard let answer = self.answers[path], let interpreter = answer.interpreter,
            answer.identity == FileIdentity(of: path), ProcessEnvironment.isExecutable(interpreter.path)
        else { return nil }
        return interpreter
    }

    private func remember(_ path: String, _ interpreter: PythonInterpreter) -> PythonInterpreter {
        self.keep(path, interpreter)
        return interpreter
    }

    private func keep(_ path: String, _ interpreter: PythonInterpreter?) {
        guard let identity = FileIdentity(of: path) else { return }
        let isScript = Self.isScript(path)
        self.answers[path] = Answer(identity: identity, interpreter: interpreter, isScript: isScript)
        guard !isScript, let text = try? JSONEncoder().encode(self.answers.filter { !$0.value.isScript }) else {
            return
        }
        // What cannot be kept is asked again.
        try? text.write(to: URL(fileURLWithPath: self.file), options: .atomic)
    }

    private static func isScript(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return true }
        defer { try? file.close() }
        return (try? file.read(upToCount: 2)) == Data("#!".utf8)
    }
}

/// Tells whether a file is the one that was looked at before.
struct FileIdentity: Hashable, Sendable, Codable {
    var device: UInt64
    var inode: UInt64
    var size: Int64
    var seconds: Int64
    var nanoseconds: Int64

    /// Of the file behind links; nil where there is none.
    init?(of path: String) {
        var status = FileStatus()
        guard cortex_stat(path, &status) == 0 else { return nil }
        self.device = status.device
        self.inode = status.inode
        self.size = status.size
        self.seconds = status.seconds
        self.nanoseconds = status.nanoseconds
    }
}
