import Crypto
import CortexControlPlane

/// Names an environment by all that decides its content.
package struct EnvironmentKey: Hashable, Sendable, CustomStringConvertible {
    /// 64 hexadecimal digits in lower case.
    package let description: String

    /// Derives the key from the interpreter, what workers need, and the project's requirements.
    ///
    /// Requirements that lead into the project (`-e .`, a wheel beside the predictor) make its whole content count.
    /// - Parameters:
    ///   - plan: What no file asks for.
    ///   - project: Nil for a tool of the server's own, which has none.
    init(
        interpreter: PythonInterpreter,
        requirements: RequirementFiles,
        plan: PackagePlan = PackagePlan(),
        project: ProjectHash?
    ) {
        var hash = SHA256()
        func add(_ label: String, _ content: some Collection<UInt8>) {
            // Lengths keep two lists of parts from having one text.
            hash.update(data: Array("\(label) \(content.count)\n".utf8))
            hash.update(data: Array(content))
        }
        add("cortex environment", "2".utf8)
        add("interpreter", interpreter.path.utf8)
        add("version", interpreter.version.description.utf8)
        add("platform", interpreter.platform.utf8)
        for requirement in plan.requirements { add("package", requirement.utf8) }
        for override in plan.overrides { add("override", override.utf8) }
        if plan.isTorchWanted { add("torch", "cpu".utf8) }
        for file in requirements.files { add("file \(file.path)", file.content) }
        if requirements.leadIntoProject, let project { add("project", project.description.utf8) }
        let digits = Array("0123456789abcdef".utf8)
        let text = hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        self.description = String(decoding: text, as: UTF8.self)
    }
}
