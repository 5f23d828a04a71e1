import CortexControlPlane
import CortexLocalProvider
import CortexSpec

/// Reads what the server's environment sets; what cannot be read ends the start with what is allowed.
enum ServerVariable {
    /// The environments of a home, once what is set for them (`CORTEX_PYTHON`, limits) is found to be right.
    static func environments(home: CortexHome) async throws -> EnvironmentBuilder {
        do {
            let environments = try EnvironmentBuilder(home: home.path)
            try await environments.checkInterpreter()
            return environments
        } catch let error as EnvironmentError {
            guard error.isOfVariable else { throw error }
            throw CommandFailure("\(error)", exitCode: 2)
        }
    }

    /// Nil where the variable is not set.
    static func text(_ name: String, in environment: [String: String]) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Nil where the variable is not set.
    static func pause(_ name: String, in environment: [String: String]) throws -> Duration? {
        guard let text = self.text(name, in: environment) else { return nil }
        guard let pause = Pause(argument: text) else {
            throw CommandFailure("\(name) is \"\(text)\"; \(Pause.allowed)", exitCode: 2)
        }
        return pause.duration
    }

    /// Nil where the variable is not set.
    static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String,
        in environment: [String: String]
    ) throws -> Choice? {
        guard let text = self.text(name, in: environment) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue)
            let list = "\(names.dropLast().joined(separator: ", ")) and \(names.last ?? "")"
            throw CommandFailure("\(name) is \"\(text)\"; allowed are \(list)", exitCode: 2)
        }
        return choice
    }

    /// Nil where the variable is not set.
    static func bytes(_ name: String, in environment: [String: String]) throws -> Int? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        guard let count = ByteCount(quantity: text), count.bytes > 0 else {
            throw CommandFailure(
                "\(name) is \"\(text)\"; allowed is a number of bytes above 0, such as 64Mi",
                exitCode: 2
            )
        }
        return Int(count.bytes)
    }

    /// Nil where the variable is not set.
    static func count(_ name: String, in range: ClosedRange<Int>, of environment: [String: String]) throws -> Int? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        guard let count = Int(text), range.contains(count) else {
            let allowed = "\(range.lowerBound) to \(range.upperBound)"
            throw CommandFailure("\(name) is \"\(text)\"; allowed are \(allowed)", exitCode: 2)
        }
        return count
    }

    /// Nil where the variable is not set.
    static func isOn(_ name: String, in environment: [String: String]) throws -> Bool? {
        switch environment[name]?.lowercased() {
        case nil, "": return nil
        case "0", "false": return false
        case "1", "true": return true
        case _?: throw CommandFailure("\(name) is \"\(environment[name] ?? "")\"; allowed are 1 and 0", exitCode: 2)
        }
    }

    /// Nil where the variable is not set.
    static func duration(_ name: String, in environment: [String: String]) throws -> Duration? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        guard let duration = Duration(goText: text), duration > .zero else {
            throw CommandFailure("\(name) is \"\(text)\"; allowed is a duration above 0, such as 30s", exitCode: 2)
        }
        return duration
    }
}
