/// The bytes that a bracket expression (`[a-z]`, `[!0-9]`, `[[:alpha:]_]`) stands for.
struct ByteSet: Sendable {
    private var members: [Bool] = Array(repeating: false, count: 256)
    private var isNegated = false

    /// Reads the expression that begins at `index` and moves past it; nil where it is malformed.
    init?(_ bytes: [UInt8], _ index: inout Int) {
        index += 1
        if index < bytes.count, bytes[index] == UInt8(ascii: "!") || bytes[index] == UInt8(ascii: "^") {
            self.isNegated = true
            index += 1
        }
        var previous: UInt8?
        var isFirst = true
        while index < bytes.count {
            let byte = bytes[index]
            // A bracket right at the start is a member.
            if byte == UInt8(ascii: "]"), !isFirst {
                index += 1
                return
            }
            isFirst = false
            if byte == UInt8(ascii: "["), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: ":") {
                guard let end = bytes[(index + 2)...].firstIndex(of: UInt8(ascii: "]")) else { return nil }
                if end > index + 2, bytes[end - 1] == UInt8(ascii: ":") {
                    guard self.insertClass(bytes[(index + 2)..<(end - 1)]) else { return nil }
                    index = end + 1
                    previous = nil
                    continue
                }
            }
            if byte == UInt8(ascii: "-"), let low = previous, index + 1 < bytes.count,
                bytes[index + 1] != UInt8(ascii: "]")
            {
                index += 1
                guard let high = Self.member(bytes, &index) else { return nil }
                if low <= high { for member in low...high { self.members[Int(member)] = true } }
                previous = nil
                continue
            }
            guard let member = Self.member(bytes, &index) else { return nil }
            self.members[Int(member)] = true
            previous = member
        }
        return nil
    }

    func contains(_ byte: UInt8) -> Bool { self.members[Int(byte)] != self.isNegated }

    /// A byte, perhaps after a backslash.
    private static func member(_ bytes: [UInt8], _ index: inout Int) -> UInt8? {
        if bytes[index] == UInt8(ascii: "\\") { index += 1 }
        guard index < bytes.count else { return nil }
        defer { index += 1 }
        return bytes[index]
    }

    private mutating func insertClass(_ name: ArraySlice<UInt8>) -> Bool {
        let upper = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let lower = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digit = UInt8(ascii: "0")...UInt8(ascii: "9")
        let isAlphanumeric: (UInt8) -> Bool = { upper.contains($0) || lower.contains($0) || digit.contains($0) }
        let classes: [String: (UInt8) -> Bool] = [
            "alnum": isAlphanumeric,
            "alpha": { upper.contains($0) || lower.contains($0) },
            "blank": { $0 == 0x20 || $0 == 0x09 },
            "cntrl": { $0 < 0x20 || $0 == 0x7F },
            "digit": { digit.contains($0) },
            "graph": { (0x21...0x7E).contains($0) },
            "lower": { lower.contains($0) },
            "print": { (0x20...0x7E).contains($0) },
            "punct": { (0x21...0x7E).contains($0) && !isAlphanumeric($0) },
            "space": { $0 == 0x20 || (0x09...0x0D).contains($0) },
            "upper": { upper.contains($0) },
            "xdigit": { digit.contains($0) || (0x41...0x46).contains($0) || (0x61...0x66).contains($0) },
        ]
        guard let isMember = classes[String(decoding: name, as: UTF8.self)] else { return false }
        for byte in UInt8.min...UInt8.max where isMember(byte) { self.members[Int(byte)] = true }
        return true
    }
}
