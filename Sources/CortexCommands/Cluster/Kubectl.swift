import Foundation
import Subprocess

/// Runs the user's `kubectl`, so that every way to log in to a cluster works that works there.
struct Kubectl: Sendable {
    /// Absolute.
    let program: String
    /// Nil for what the kubeconfig says.
    var context: String?
    /// Nil for the namespace of the context.
    var namespace: String?
    /// The value of `KUBECONFIG`; nil for kubectl's own default.
    var kubeconfig: String?

    private static let outputLimit = 256 << 20

    /// - Parameter kubeconfig: Nil for the one that `environment` names.
    /// - Throws: Where there is none on this machine.
    init(
        context: String? = nil,
        namespace: String? = nil,
        kubeconfig: String? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CommandFailure) {
        self.program = try Self.program(environment)
        self.context = context
        self.namespace = namespace
        let named = kubeconfig ?? environment["KUBECONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        self.kubeconfig = named.map(ClusterLocation.absolute(kubeconfig:))
    }

    init(_ location: ClusterLocation) throws(CommandFailure) {
        try self.init(context: location.context, namespace: location.namespace, kubeconfig: location.kubeconfig)
    }

    /// `CORTEX_KUBECTL`, else the first `kubectl` of `PATH`.
    private static func program(_ environment: [String: String]) throws(CommandFailure) -> String {
        if let named = environment["CORTEX_KUBECTL"], !named.isEmpty {
            guard FileManager.default.isExecutableFile(atPath: named) else {
                throw CommandFailure("CORTEX_KUBECTL is \(named), where no program is", exitCode: 2)
            }
            return named
        }
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/kubectl") {
            return "\(folder)/kubectl"
        }
        throw CommandFailure(
            "kubectl is not on this machine, and cortex reaches clusters by it",
            hint: "install it (https://kubernetes.io/docs/tasks/tools), or name it: CORTEX_KUBECTL=/path/to/kubectl"
        )
    }

    /// All arguments of a call.
    func arguments(_ arguments: [String]) -> [String] {
        (self.context.map { ["--context", $0] } ?? []) + (self.namespace.map { ["--namespace", $0] } ?? []) + arguments
    }

    /// The environment of a call, as far as it differs from this process's own.
    var changes: [String: String] { self.kubeconfig.map { ["KUBECONFIG": $0] } ?? [:] }

    /// Runs it once; returns what it printed.
    /// - Parameter input: Its standard input.
    /// - Throws: ``KubectlFailure``.
    func run(_ arguments: [String], input: String = "") async throws -> String {
        let changes = Dictionary(
            self.changes.compactMap { name, value in Environment.Key(rawValue: name).map { ($0, value as String?) } },
            uniquingKeysWith: { $1 }
        )
        let result = try await Subprocess.run(
            .path(Self.path(self.program)),
            arguments: Arguments(self.arguments(arguments)),
            environment: .inherit.updating(changes),
            input: .string(input),
            output: .bytes(limit: Self.outputLimit),
            error: .bytes(limit: 4 << 20)
        )
        guard result.terminationStatus.isSuccess else {
            throw KubectlFailure(String(decoding: result.standardError, as: UTF8.self))
        }
        return String(decoding: result.standardOutput, as: UTF8.self)
    }

    /// Makes the path type that Subprocess takes, whose module has one name on a Mac and another on Linux.
    private static func path<Path: ExpressibleByStringLiteral>(
        _ text: Path.StringLiteralType
    ) -> Path where Path.StringLiteralType == String {
        Path(stringLiteral: text)
    }
}
