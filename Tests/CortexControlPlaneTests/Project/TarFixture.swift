/// Makes tar blocks, sound and unsound, apart from the code under test.
enum TarFixture {
    static let end = [UInt8](repeating: 0, count: 1024)

    static func file(_ path: String, _ content: String, type: Character = "0") -> [UInt8] {
        let digits = String(content.utf8.count, radix: 8)
        let size = String(repeating: "0", count: 11 - digits.count) + digits + "\0"
        let bytes = Array(content.utf8)
        return self.header(path, size: size, type: type) + bytes
            + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    static func pax(_ records: [String: String]) -> [UInt8] {
        let body = records.map { key, value in
            let rest = " \(key)=\(value)\n"
            var length = rest.utf8.count
            while "\(length)".utf8.count + rest.utf8.count != length {
                length = "\(length)".utf8.count + rest.utf8.count
            }
            return "\(length)\(rest)"
        }
        return self.file("records", body.joined(), type: "x")
    }

    static func header(_ path: String, size: String, type: Character = "0", rawSize: [UInt8]? = nil) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Collection<UInt8>, _ offset: Int) {
            for (index, byte) in bytes.enumerated() { block[offset + index] = byte }
        }
        put(path.utf8.prefix(100), 0)
        put("0000644\0".utf8, 100)
        put(rawSize ?? Array(size.utf8), 124)
        put(String(type).utf8, 156)
        put("ustar\u{0}00".utf8, 257)
        put("        ".utf8, 148)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        put((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8, 148)
        return block
    }
}
