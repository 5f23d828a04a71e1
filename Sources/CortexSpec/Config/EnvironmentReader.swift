/// Reads `predictor.env`: names and texts; a number or boolean is taken as it is written.
enum EnvironmentReader {
    static func read(_ section: Section) -> [String: String] {
        var env: [String: String] = [:]
        for key in section.keys {
            guard let entry = section.entry(key) else { continue }
            if let flaw = EnvironmentName.flaw(of: key) {
                section.log.add(
                    at: entry.position,
                    api: section.api,
                    field: section.field(key),
                    flaw.message,
                    allowed: flaw.allowed
                )
            }
            let allowed = "it must be text"
            guard let scalar = entry.value.scalar else {
                section.fail(key, "is \(entry.value.kind)", allowed: allowed)
                continue
            }
            if scalar.value == .null {
                section.fail(key, "is empty", allowed: "write \"\" for an empty text, or remove the key")
            } else if scalar.text.unicodeScalars.contains("\0") {
                section.fail(key, "holds the character U+0000", allowed: allowed)
            } else {
                env[key] = scalar.text
            }
        }
        return env
    }
}

/// The name of an environment variable.
enum EnvironmentName {
    /// What is wrong with a name, and what is allowed; nil where it is right.
    static func flaw(of name: String) -> (message: String, allowed: String)? {
        let isLegal = name.utf8.enumerated().allSatisfy { offset, byte in
            (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
                || (offset > 0 && (0x30...0x39).contains(byte))
        }
        guard isLegal, !name.isEmpty else {
            return ("\(name.quoted) is not the name of a variable", "letters, digits and _, no digit first")
        }
        guard !name.hasPrefix("CORTEX_") else {
            return ("\(name) is reserved", "names that begin with CORTEX_ are set by Cortex")
        }
        return nil
    }
}
