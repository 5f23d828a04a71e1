import CortexSpec

/// `.env`: what is read can be handed to a process, names and values without a NUL.
enum DotEnvCase {
    static func check(_ text: String) {
        do throws(SpecError) {
            let variables = try DotEnv.parse(text)
            precondition(Set(variables.map(\.key)).count == variables.count, "a variable that is there twice")
            for variable in variables {
                precondition(!variable.key.isEmpty && !variable.key.contains("="), "a name that is none")
                precondition(!variable.key.utf8.contains(0) && !variable.value.utf8.contains(0), "a NUL is let through")
            }
        } catch {
            precondition(!error.problems.isEmpty, "a refusal without a reason")
        }
    }
}
