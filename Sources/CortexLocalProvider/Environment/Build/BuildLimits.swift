import CortexSpec

/// How long the steps of a build may take; one that asks a question, or waits for what never comes, would take for ever.
struct BuildLimits: Hashable, Sendable {
    static let dependenciesVariable = "CORTEX_DEPENDENCIES_TIMEOUT"
    static let installVariable = "CORTEX_INSTALL_TIMEOUT"

    /// For `dependencies.sh`.
    var dependencies = Duration.seconds(20 * 60)
    /// For each of the tools that install.
    var install = Duration.seconds(60 * 60)

    init() {}

    /// - Throws: ``EnvironmentError`` for a variable that is no duration.
    init(_ variables: ProcessEnvironment) throws(EnvironmentError) {
        if let limit = try Self.duration(Self.dependenciesVariable, in: variables) { self.dependencies = limit }
        if let limit = try Self.duration(Self.installVariable, in: variables) { self.install = limit }
    }

    private static func duration(
        _ name: String,
        in variables: ProcessEnvironment
    ) throws(EnvironmentError) -> Duration? {
        guard let text = variables[name] else { return nil }
        guard let duration = Duration(goText: text), duration > .zero else {
            throw .badVariable(name: name, value: text, allowed: "a duration above 0, such as 20m")
        }
        return duration
    }
}
