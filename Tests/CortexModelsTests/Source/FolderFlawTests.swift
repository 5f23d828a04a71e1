import Foundation
import Testing

@testable import CortexModels

/// What is no file harms nothing but what it lies in: the rest of the folder is listed beside it.
@Suite(.timeLimit(.minutes(1))) struct FolderFlawTests {
    /// Something wrong that a test puts into version 2.
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Where it is listed, and what is said of it, with `ROOT` for the folder.
        var path: String
        var flaw: String
        var make: @Sendable (SourceFolder) throws -> Void

        init(_ name: String, _ path: String, _ flaw: String, _ make: @escaping @Sendable (SourceFolder) throws -> Void)
        {
            self.testDescription = name
            self.path = path
            self.flaw = flaw
            self.make = make
        }
    }

    static let rows = [
        Row("bytes", #"2/bad\xff"#, #"ROOT/2/bad\xff cannot be a file: its name is not UTF-8; rename or"#) {
            try $0.make(Array("bad".utf8) + [0xFF], in: "2")
        },
        Row("a folder", #"2/\xc3\xe9"#, #"ROOT/2/\xc3\xe9 cannot be a file: its name is not UTF-8; rename or"#) {
            try $0.make([0xC3, 0xE9], in: "2", isFolder: true)
        },
        Row(
            "a control character",
            #"2/a\u{9}\\b"#,
            #"ROOT/2/a\u{9}\\b cannot be a file: its name has a control character in it; rename or remove it"#
        ) { try $0.make(Array("a\t\\b".utf8), in: "2", isFolder: true) },
        Row("a link out", "2/key", "the link ROOT/2/key leads out of the folder, to /etc; copy the file instead") {
            try $0.link("2/key", to: "/etc")
        },
        Row("a link to nothing", "2/key", "the link ROOT/2/key leads to nothing; remove it") {
            try $0.link("2/key", to: "nothing")
        },
        Row("a link to itself", "2/key", "cannot follow the link ROOT/2/key: ") { try $0.link("2/key", to: "key") },
        Row("a link to above", "2/key", "the link ROOT/2/key leads back to a folder that it lies in") {
            try $0.link("2/key", to: "..")
        },
        Row("a link to bytes", "2/key", "cannot follow the link ROOT/2/key: ") { folder in
            try folder.make([0x2E, 0xFF])
            let target = Array("\(folder.path)/.".utf8) + [0xFF, 0]
            try #require(symlink(target.map { CChar(bitPattern: $0) }, "\(folder.path)/2/key") == 0)
        },
        Row("a pipe", "2/pipe", "ROOT/2/pipe is not a file: remove the device, pipe or socket") {
            try #require(mkfifo("\($0.path)/2/pipe", 0o600) == 0)
        },
    ]

    @Test(arguments: Self.rows) func `a flaw is listed beside what is sound`(row: Row) async throws {
        let folder = try SourceFolder(["1/a": "x", "2/a": "y", "3/a": "z"])
        try row.make(folder)
        let objects = try await FolderStorage().list(.folder(folder.path), limit: 100)
        #expect(objects.filter { $0.flaw == nil }.map(\.path) == ["1/a", "2/a", "3/a"])
        let flawed = objects.filter { $0.flaw != nil }
        #expect(flawed.map(\.path) == [row.path])
        let flaw = try #require(flawed.first?.flaw)
        #expect(flaw.hasPrefix(row.flaw.replacing("ROOT", with: folder.path)), "\(flaw)")
        // Again the same, so that nothing is taken for a change.
        #expect(try await FolderStorage().list(.folder(folder.path), limit: 100) == objects)
        let tree = ModelTree.read(objects, kind: .python, shown: "m/")
        #expect(tree.versions.keys.sorted() == [1, 3])
        #expect(tree.broken == [2: "version 2 cannot be served: \(flaw)"])
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything"), arguments: [mode_t(0), 0o400, 0o100])
    func `a folder that may not be read is one flaw`(mode: mode_t) async throws {
        let folder = try SourceFolder(["1/a": "x", "2/a": "y", "2/b": "y"])
        chmod("\(folder.path)/2", mode)
        defer { chmod("\(folder.path)/2", 0o700) }
        let objects = try await FolderStorage().list(.folder(folder.path), limit: 100)
        #expect(objects.map(\.path) == ["1/a", "2"])
        #expect(objects.last?.flaw?.hasPrefix("cannot read \(folder.path)/2/: ") == true)
        await #expect(throws: StorageError.self) {
            try await FolderStorage().list(.folder("\(folder.path)/2"), limit: 1)
        }
    }

    @Test func `a folder too deep is a flaw of its version`() async throws {
        let folder = try SourceFolder(["1/a": "x", "2/\(String(repeating: "d/", count: 110))a": "y"])
        let objects = try await FolderStorage().list(.folder(folder.path), limit: 1000)
        #expect(objects.compactMap(\.flaw).map { $0.hasSuffix("d is more than 100 folders deep") } == [true])
        #expect(ModelTree.read(objects, kind: .python, shown: "m/").versions.keys.sorted() == [1])
    }

    @Test func `flaws are bounded, and so is what is listed`() async throws {
        let folder = try SourceFolder(["1/a": "x"])
        for number in 0..<StoredObject.mostFlaws { try folder.link("1/\(number)", to: "nothing") }
        #expect(try await FolderStorage().list(.folder(folder.path), limit: 2000).count == 1001)
        try folder.link("1/more", to: "nothing")
        let error = await #expect(throws: StorageError.self) {
            try await FolderStorage().list(.folder(folder.path), limit: 2000)
        }
        #expect(
            error?.description.hasPrefix("\(folder.path) holds more than 1000 entries like this: the link ") == true
        )
    }

    @Test func `hidden names may be anything`() async throws {
        let folder = try SourceFolder(["1/a": "x"])
        try folder.make([0x2E, 0xFF], in: "1")
        try folder.make(Array(".\t".utf8), in: "1", isFolder: true)
        try folder.link("1/.link", to: "/etc")
        #expect(try await FolderStorage().list(.folder(folder.path), limit: 100).map(\.path) == ["1/a"])
    }

    @Test(
        arguments: [
            (Array("é".utf8), "é"), ([0xFF, 0x61], #"\xffa"#), ([0xC3], #"\xc3"#), ([0xE2, 0x82, 0x61], #"\xe2\x82a"#),
            ([0x07, 0x5C], #"\u{7}\\"#), ([0xC2, 0x85], #"\u{85}"#), ([0xED, 0xA0, 0x80], #"\xed\xa0\x80"#),
        ] as [([UInt8], String)]
    ) func `a name is escaped where it must be`(name: [UInt8], text: String) {
        #expect(StoredObject.escaping(name) == text)
    }

    @Test func `a name that is too long once escaped is shortened, and still its own`() throws {
        let names = [0x01, 0x02].map { [UInt8](repeating: 0x03, count: 254) + [$0] }.map(StoredObject.escaping)
        #expect(Set(names).count == 2)
        for name in names { _ = try StoredObject(path: name, flaw: "why") }
    }
}
