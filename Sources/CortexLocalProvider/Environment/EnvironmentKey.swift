import CortexControlPlane
import Crypto

/// Names an environment by all that decides its content.
package struct EnvironmentKey: Hashable, Sendable, CustomStringConvertible {
    /// 64 hexadecimal digits in lower case.
    package let description: String

    /// Derives the key from the interpreter, what workers need, and what the project says.
    ///
    /// Requirements that lead into the project (`-e .`, a wheel beside the predictor) make its whole content count.
    init(_ request: BuildRequest) {
        var hash = SHA256()
        func add(_ label: String, _ content: some Collection<UInt8>) {
            // Lengths keep two lists of parts from having one text.
            hash.update(data: Array("\(label) \(content.count)\n".utf8))
            hash.update(data: Array(content))
        }
        add("cortex environment", "3".utf8)
        add("interpreter", request.interpreter.path.utf8)
        add("version", request.interpreter.version.description.utf8)
        add("platform", request.interpreter.platform.utf8)
        for requirement in request.plan.requirements { add("package", requirement.utf8) }
        for override in request.plan.overrides { add("override", override.utf8) }
        if request.plan.isTorchWanted { add("torch", "cpu".utf8) }
        for file in request.requirements.files { add("file \(file.path)", file.content) }
        if let script = request.script { add("script", script.digest.utf8) }
        if let packages = request.condaPackages { add("conda", packages) }
        for (name, value) in request.decisiveVariables.sorted(by: { $0.key < $1.key }) {
            add("variable \(name)", value.utf8)
        }
        let isWhole = request.requirements.leadIntoProject || request.script?.readsWholeProject == true
        if isWhole, let project = request.project { add("project", project.description.utf8) }
        let digits = Array("0123456789abcdef".utf8)
        let text = hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        self.description = String(decoding: text, as: UTF8.self)
    }

    /// Reads the name of an environment's folder; nil for any other.
    package init?(_ text: String) {
        guard text.utf8.count == 64, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        self.description = text
    }
}
