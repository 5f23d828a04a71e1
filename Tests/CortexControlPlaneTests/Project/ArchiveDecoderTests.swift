import CortexControlPlane
import Testing

@Suite struct ArchiveDecoderTests {
    /// Decodes in pieces of `step` bytes; returns paths with contents.
    private func decode(
        _ bytes: [UInt8],
        step: Int = 1 << 20,
        limits: ProjectLimits = .standard
    ) throws -> [String] {
        var decoder = ArchiveDecoder(limits: limits)
        var found: [String] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            try Array(bytes[start..<min(start + step, bytes.count)]).withUnsafeBytes { piece in
                try decoder.decode(piece) { event in
                    switch event {
                    case .file(let entry): found.append("\(entry.path):")
                    case .content(let bytes): found[found.count - 1] += String(decoding: bytes, as: UTF8.self)
                    }
                }
            }
        }
        try decoder.finish()
        return found
    }

    @Test(arguments: [1, 7, 511, 512, 513, 4096])
    func `pieces of any size give the same`(step: Int) throws {
        let archive =
            TarFixture.file("a/b", "hello") + TarFixture.file("empty", "")
            + TarFixture.pax(["path": "long"]) + TarFixture.file("short", "x") + TarFixture.end
        #expect(try self.decode(archive, step: step) == ["a/b:hello", "empty:", "long:x"])
    }

    @Test(arguments: [
        "/etc/passwd", "../up", "a/../../up", "a/..", "..", ".", "./a", "a//b", "a/", "", "a/./b", "/",
        String(repeating: "x", count: 256), String(repeating: "x/", count: 2048) + "x",
    ])
    func `paths that are not plain are refused`(path: String) {
        #expect(throws: ProjectError.self) {
            try self.decode(TarFixture.pax(["path": path]) + TarFixture.file("x", "") + TarFixture.end)
        }
        if path.utf8.count <= 100 {
            #expect(throws: ProjectError.self) { try self.decode(TarFixture.file(path, "") + TarFixture.end) }
        }
    }

    @Test(arguments: ["1", "2", "3", "4", "5", "6", "7", "g", "L", "K", "S", "V"])
    func `anything but files is refused`(type: Character) {
        #expect(throws: ProjectError.self) {
            try self.decode(TarFixture.file("a", "", type: type) + TarFixture.end)
        }
    }

    @Test(arguments: [["a", "a"], ["a", "a/b"], ["a/b", "a"], ["a/b/c", "a/b"], ["é", "e\u{301}"]])
    func `files that stand in each other's way are refused`(paths: [String]) {
        let files = paths.flatMap { TarFixture.pax(["path": $0]) + TarFixture.file("x", "") }
        #expect(throws: ProjectError.self) { try self.decode(files + TarFixture.end) }
    }

    @Test func `an archive cut anywhere is refused`() throws {
        let archive = TarFixture.pax(["path": "long"]) + TarFixture.file("a", "hello") + TarFixture.end
        #expect(try self.decode(archive) == ["long:hello"])
        for length in 0..<archive.count {
            #expect(throws: ProjectError.self, "cut at \(length)") { try self.decode(Array(archive[..<length])) }
        }
    }

    @Test func `any flipped byte of a header is noticed`() {
        let archive = TarFixture.file("a", "") + TarFixture.end
        // The checksum's last byte only fills its field.
        for index in 0..<512 where index != 155 {
            var broken = archive
            broken[index] ^= 1
            #expect(throws: ProjectError.self, "byte \(index)") { try self.decode(broken) }
        }
    }

    @Test func `sizes beyond the limits are refused before any content comes`() {
        let limits = ProjectLimits(fileBytes: 4, totalBytes: 6, files: 3)
        #expect(throws: ProjectError.fileTooLarge(path: "a", size: 5, limit: 4)) {
            try self.decode(TarFixture.header("a", size: "00000000005\0"), limits: limits)
        }
        #expect(throws: ProjectError.projectTooLarge(path: "b", limit: 6)) {
            let second = TarFixture.header("b", size: "00000000003\0")
            return try self.decode(TarFixture.file("a", "1234") + second, limits: limits)
        }
        #expect(throws: ProjectError.tooManyFiles(limit: 3)) {
            try self.decode((0..<4).flatMap { TarFixture.file("f\($0)", "") } + TarFixture.end, limits: limits)
        }
        // The largest size that octal digits can tell, a negative one, and the binary form of larger ones.
        for size in ["77777777777\0", "-0000000001\0", "\u{1}00000000000"] {
            #expect(throws: ProjectError.self) { try self.decode(TarFixture.header("a", size: size)) }
        }
        #expect(throws: ProjectError.self) {
            try self.decode(TarFixture.header("a", size: "\0", rawSize: [0x80] + [UInt8](repeating: 0xFF, count: 11)))
        }
    }

    @Test(arguments: [
        "9999999999 path=a\n", "0 path=a\n", "11 path=abc", "12 path=abc", "x path=a\n",
        "99999999999999999999999 path=a\n",
        "10 size=1\n", "26 GNU.sparse.name=a/b/c\n", "7 path\n", "10 path=\u{0}\n",
    ])
    func `records that are broken, or change the meaning, are refused`(record: String) {
        #expect(throws: ProjectError.self) {
            try self.decode(TarFixture.file("x", record, type: "x") + TarFixture.file("a", "") + TarFixture.end)
        }
    }

    @Test func `records too large, doubled, or for no file are refused`() {
        let record = TarFixture.pax(["path": "a"])
        let large = TarFixture.header("x", size: "77777777777\0", type: "x")
        for archive in [large, record + record + TarFixture.file("a", ""), record + TarFixture.end] {
            #expect(throws: ProjectError.self) { try self.decode(archive) }
        }
    }

    @Test func `only zeros may follow the end`() throws {
        let archive = TarFixture.file("a", "") + TarFixture.end
        #expect(try self.decode(archive + [UInt8](repeating: 0, count: 9000)) == ["a:"])
        #expect(throws: ProjectError.self) { try self.decode(archive + TarFixture.file("b", "")) }
        #expect(throws: ProjectError.self) {
            try self.decode(TarFixture.file("a", "") + [UInt8](repeating: 0, count: 512) + TarFixture.file("b", ""))
        }
    }
}
