import CortexTelemetry

/// Makes request ids: UUIDs of version 7 (RFC 9562, section 5.7), which sort by time.
///
/// Unique, not secret: the random bits come from a fast generator that is seeded once for each event loop.
struct RequestIDGenerator {
    private var state: (UInt64, UInt64) = (.random(in: .min ... .max), .random(in: 1 ... .max))

    /// xoroshiro128+ (Blackman and Vigna, 2018).
    private mutating func random() -> UInt64 {
        let (first, second) = self.state
        let result = first &+ second
        let mixed = first ^ second
        self.state = ((first << 24 | first >> 40) ^ mixed ^ (mixed << 16), mixed << 37 | mixed >> 27)
        return result
    }

    mutating func next() -> String {
        let high = WallClock.milliseconds() << 16 | 0x7000 | (self.random() >> 52)
        let low = (self.random() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        return String(unsafeUninitializedCapacity: 36) { text in
            var position = 0
            for shift in stride(from: 60, through: 0, by: -4) {
                if position == 8 || position == 13 {
                    text[position] = UInt8(ascii: "-")
                    position += 1
                }
                text[position] = Self.digit(high >> UInt64(shift))
                position += 1
            }
            for shift in stride(from: 60, through: 0, by: -4) {
                if position == 18 || position == 23 {
                    text[position] = UInt8(ascii: "-")
                    position += 1
                }
                text[position] = Self.digit(low >> UInt64(shift))
                position += 1
            }
            return 36
        }
    }

    private static func digit(_ value: UInt64) -> UInt8 {
        let nibble = UInt8(value & 0xF)
        return nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }

    /// Whether a client's own id is taken over: 1 to 128 of `A-Za-z0-9._-`.
    static func isAcceptable(_ id: String) -> Bool {
        (1...128).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2E, 0x5F, 0x2D: true
                default: false
                }
            }
    }
}
