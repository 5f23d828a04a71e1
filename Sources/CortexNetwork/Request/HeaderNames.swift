/// Names of headers, which are compared without regard to case and without memory of their own.
struct HeaderNames {
    private var byLength: [[StaticString]] = []

    /// - Parameter names: Of lower-case letters and hyphens.
    init(_ names: [StaticString]) {
        for name in names {
            let length = name.utf8CodeUnitCount
            while self.byLength.count <= length { self.byLength.append([]) }
            self.byLength[length].append(name)
        }
    }

    func contains(_ name: String) -> Bool {
        let length = name.utf8.count
        guard length < self.byLength.count else { return false }
        return self.byLength[length].contains { Self.begins(name, with: $0) }
    }

    /// - Parameter known: Of lower-case letters and hyphens.
    static func equal(_ name: String, _ known: StaticString) -> Bool {
        name.utf8.count == known.utf8CodeUnitCount && Self.begins(name, with: known)
    }

    /// - Parameter known: Of lower-case letters and hyphens.
    static func begins(_ name: String, with known: StaticString) -> Bool {
        var name = name
        return name.withUTF8 { name in
            known.withUTF8Buffer { known in
                guard name.count >= known.count else { return false }
                for index in known.indices {
                    // The two cases of a letter differ in this bit alone; a hyphen has no other form.
                    let isLetter = known[index] != UInt8(ascii: "-")
                    guard (isLetter ? name[index] | 0x20 : name[index]) == known[index] else { return false }
                }
                return true
            }
        }
    }
}
