import CortexSpec

/// `cortex.yaml`: any text is read or refused, and what is refused is told in full and can be shown.
enum ConfigCase {
    static func check(_ text: String) {
        do throws(SpecError) {
            let config = try ConfigFile.parse(text, fileName: "cortex.yaml") { _ in .file }
            self.checkSpecs(config)
        } catch {
            precondition(!error.problems.isEmpty, "a refusal without a reason")
            for problem in error.problems {
                precondition(problem.position.line >= 1 && problem.position.column >= 1, "a place before the file")
            }
            let report = ProblemReport(text: text, colour: true).render(error.problems + error.warnings)
            precondition(!report.isEmpty, "a problem that cannot be shown")
        }
    }

    /// What is accepted keeps the bounds that the rest of the program relies on.
    private static func checkSpecs(_ config: ConfigFile) {
        for api in config.apis {
            precondition(api.networking.endpoint.hasPrefix("/"), "an endpoint without a slash")
            precondition((1...100).contains(api.predictor.processesPerReplica), "processes out of bounds")
            precondition((1...10_000).contains(api.predictor.threadsPerProcess), "threads out of bounds")
            precondition(api.networking.timeout > .zero, "a timeout that has passed already")
        }
    }
}
