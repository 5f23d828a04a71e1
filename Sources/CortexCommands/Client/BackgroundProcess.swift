import Foundation

/// This program once more, in a session of its own, so that neither the terminal's end nor its Ctrl-C reaches it.
struct BackgroundProcess {
    let pid: Int32
    /// Where in the log its own lines begin.
    let logStart: UInt64

    /// - Parameters:
    ///   - arguments: Without the program's name.
    ///   - log: Gets its standard output and error at its end; readable by its owner only.
    init(arguments: [String], log: String) throws {
        let program = try Self.ownPath()
        let descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("open \(log)", errno) }
        defer { close(descriptor) }
        self.logStart = UInt64(max(0, lseek(descriptor, 0, SEEK_END)))

        #if os(Linux)
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #else
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, descriptor, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, descriptor, STDERR_FILENO)
        #if os(Linux)
        // POSIX_SPAWN_SETSID, which the C library declares for GNU sources only.
        posix_spawnattr_setflags(&attributes, 0x80)
        Self.keepDescriptorsFromChildren()
        #else
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSID | POSIX_SPAWN_CLOEXEC_DEFAULT))
        #endif

        var words = ([program] + arguments).map { strdup($0) } + [nil]
        var variables = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, program, &actions, &attributes, &words, &variables)
        guard error == 0 else { throw Self.failure("start \(program)", error) }
        self.pid = pid
    }

    /// How a process ended.
    enum End: CustomStringConvertible {
        case exit(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .exit(let code): "exit code \(code)"
            case .signal(let signal): "signal \(signal)"
            }
        }

        /// What to exit with where that is why this process fails: a wrong usage stays one.
        var exitCode: Int32 { if case .exit(2) = self { 2 } else { 1 } }
    }

    /// Nil while it runs.
    func end() -> End? {
        var status: Int32 = 0
        guard waitpid(self.pid, &status, WNOHANG) == self.pid else { return nil }
        let signal = status & 0x7F
        return signal == 0 ? .exit((status >> 8) & 0xFF) : .signal(signal)
    }

    #if os(Linux)
    /// What this program was left open by its caller (a pipe of make, a lock of a script) must not live as long as the
    /// server.
    private static func keepDescriptorsFromChildren() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in names.compactMap({ Int32($0) }) where descriptor > STDERR_FILENO {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }
    #endif

    private static func ownPath() throws -> String {
        guard let path = Bundle.main.executablePath else { throw Self.failure("find this program", ENOENT) }
        return path
    }

    private static func failure(_ what: String, _ error: Int32) -> CommandFailure {
        CommandFailure("cannot \(what): \(String(cString: strerror(error)))")
    }
}
