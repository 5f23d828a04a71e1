import CortexSpec
import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct IgnorePatternsTests {
    @Test(arguments: [
        (patterns: "*.bin", path: "a/model.bin", ignored: true),
        (patterns: "/*.bin", path: "a/model.bin", ignored: false),
        (patterns: "data/", path: "data", ignored: false),
        (patterns: "data/", path: "data/x/y", ignored: true),
        (patterns: "a/**/z", path: "a/z", ignored: true),
        (patterns: "a/**/z", path: "a/b/c/z", ignored: true),
        (patterns: "*.log\n!keep.log", path: "x/keep.log", ignored: false),
        (patterns: "x/\n!x/keep.log", path: "x/keep.log", ignored: true),
        (patterns: "# *.py\n\n   \n", path: "a.py", ignored: false),
        (patterns: "\\#a\r\n", path: "#a", ignored: true),
        (patterns: "a\\ ", path: "a ", ignored: true),
        (patterns: "\u{FEFF}a", path: "a", ignored: true),
        (patterns: "[a-c]?[!0-9]", path: "bxy", ignored: true),
        (patterns: "[a-c]?[!0-9]", path: "bx7", ignored: false),
        (patterns: "[[:digit:]_]x", path: "_x", ignored: true),
        (patterns: "[abc", path: "a", ignored: false),
        (patterns: "größe*", path: "größer", ignored: true),
    ])
    func `a pattern matches as gitignore says`(patterns: String, path: String, ignored: Bool) {
        #expect(IgnorePatterns(patterns).matches(path: path, isDirectory: false) == ignored)
    }

    @Test func `a pattern for folders matches a folder`() {
        #expect(IgnorePatterns("data/").matches(path: "data", isDirectory: true))
    }

    @Test func `a hostile pattern takes no time`() {
        let pattern = String(repeating: "*a", count: 200) + "b"
        #expect(!IgnorePatterns(pattern).matches(path: String(repeating: "a", count: 2000), isDirectory: false))
    }

    @Test func `git agrees on a generated tree`() throws {
        let tree = try GitTree()
        defer { tree.remove() }
        var random = SplitMix(state: 20)
        var (hits, misses) = (0, 0)
        for _ in 0..<250 {
            let text = (0..<Int.random(in: 1...7, using: &random)).map { _ in Self.pattern(&random) }.joined(
                separator: "\n"
            )
            let ignored = try tree.ignored(by: text)
            let patterns = IgnorePatterns(text)
            for (path, isDirectory) in tree.paths {
                let ours = patterns.matches(path: path, isDirectory: isDirectory)
                if ours { hits += 1 } else { misses += 1 }
                #expect(ours == ignored.contains(path), "\(path) under \(text.debugDescription)")
            }
        }
        // The patterns say something: neither answer is rare.
        #expect(hits > 1000 && misses > 1000)
    }

    private static func pattern(_ random: inout SplitMix) -> String {
        let pieces = [
            "a", "b", "ab", "x", "*", "**", "?", "/", "/", "/", "[ab]", "[!a]", "[a-x]", "[[:alpha:]]", "a*", "*b",
            ".py", "*.py",
            "\\a", "\\*", "\\", "[", "]", " ", "**/", "/**", "[]a]", "[a-]", "[^b]", "[[:bad:]]", "#", "!", "\\ ",
            "[\\a-b]",
        ]
        let prefix = Int.random(in: 0..<6, using: &random) == 0 ? "!" : ""
        let count = Int.random(in: 1...5, using: &random)
        let body = (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
        return prefix + body + (Int.random(in: 0..<8, using: &random) == 0 ? "\r" : "")
    }
}

/// A generator whose numbers are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// A git repository in a temporary folder, with files and folders whose names the patterns are about.
private struct GitTree {
    let paths: [(path: String, isDirectory: Bool)]
    private let root: URL

    init() throws {
        self.root = FileManager.default.temporaryDirectory.appendingPathComponent("ignore-\(UUID().uuidString)")
        let names = ["a", "b", "ab", "x", "a.py", "b.py", "xab", "*", "#a", "!b", "a b", "[", "]a", "a-", "-"]
        let folders = ["", "a/", "b/", "a/b/", "a/b/a/", "x/", "x/ab/", "ab/x/", "aab/b/"]
        var paths: [String: Bool] = [:]
        for folder in folders {
            var parent = ""
            for segment in folder.split(separator: "/") {
                parent += (parent.isEmpty ? "" : "/") + segment
                paths[parent] = true
            }
        }
        for folder in folders {
            for name in names where paths[folder + name] == nil { paths[folder + name] = false }
        }
        for (path, isDirectory) in paths.sorted(by: { $0.key < $1.key }) {
            let url = self.root.appendingPathComponent(path)
            let folder = isDirectory ? url : url.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            if !isDirectory { try Data().write(to: url) }
        }
        self.paths = paths.map { ($0.key, $0.value) }.sorted { $0.path < $1.path }
        _ = try self.git(["init", "--quiet"], input: "")
    }

    func ignored(by patterns: String) throws -> Set<String> {
        try patterns.write(to: self.root.appendingPathComponent(".gitignore"), atomically: false, encoding: .utf8)
        let input = self.paths.map(\.path).joined(separator: "\0") + "\0"
        let output = try self.git(["check-ignore", "--no-index", "--stdin", "-z"], input: input)
        return Set(output.split(separator: "\0").map(String.init))
    }

    func remove() { try? FileManager.default.removeItem(at: self.root) }

    private func git(_ arguments: [String], input: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "-C", self.root.path, "-c", "core.excludesFile=/dev/null"] + arguments
        process.environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": self.root.path,
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C",
        ]
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        // Both texts are far smaller than a pipe's buffer.
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        // 1 says that nothing is ignored.
        try #require([0, 1].contains(process.terminationStatus))
        return String(decoding: output, as: UTF8.self)
    }
}
