import CortexSpec
import Testing

@Suite(.timeLimit(.minutes(1))) struct HostileConfigTests {
    private static let api =
        "- name: iris\n  kind: RealtimeAPI\n  predictor:\n    type: python\n    path: predictor.py\n"

    @Test func `an alias bomb is refused`() {
        var text = Self.api + "    config:\n      a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<10 {
            text +=
                "      a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
                + "]\n"
        }
        let problems = Sample.problems(text)
        #expect(problems.count == 1)
        #expect(
            problems.first?.hasSuffix("the file holds more than 50000 values once its aliases are expanded") == true
        )
    }

    @Test(arguments: [
        "? [*a, *a]\n      : 1", "[*a, *a]: 1", "*a : 1", "{'\\': 1, [*a]: 2}: 1",
        "y: { \"x, \" : 1, [*a]: 2}", "y: {? *a}",
    ])
    func `an alias in a key is refused before it is compared`(key: String) {
        let problems = Sample.problems(Self.api + "    config:\n      x: &a [1, 2]\n      \(key)\n")
        #expect(problems.count == 1)
        #expect(problems.first?.hasSuffix("a list, map or alias cannot be a key; keys must be text") == true)
    }

    @Test func `a bomb in a key is refused in no time`() {
        var text = "a0: &a0 [x]\n"
        for level in 1..<40 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(Sample.problems(text + "? *a39\n: 1\n").count == 1)
    }

    @Test func `stars that are no aliases are text`() throws {
        let text = Self.api + "    config: {\"*\": 1, \"[*]\": \"? [*a]: 1\", x: &a [1], y: *a, \"*\": 2}\n"
        #expect(
            Sample.problems(text) == [
                "cortex.yaml:6:60: iris: predictor.config.*: the key \"*\" is given twice, first at 6:14; remove one of them"
            ]
        )
    }

    @Test(arguments: ["[", "{a: ", "- ", "? ", "[{a: "])
    func `deep nesting is refused`(opening: String) {
        #expect(!Sample.problems(String(repeating: opening, count: 20_000)).isEmpty)
    }

    @Test func `a huge file is refused`() {
        #expect(
            Sample.problems(String(repeating: "# x\n", count: 300_000)) == [
                "cortex.yaml:1:1: the file is larger than 1 MiB"
            ]
        )
    }

    @Test func `many duplicates end`() {
        let text = Self.api + "    env:\n" + String(repeating: "      A: x\n", count: 500)
        #expect(Sample.problems(text) == ["cortex.yaml:107:7: the key \"A\" is given twice in one map"])
    }

    @Test func `text that is no YAML never traps`() {
        var random = SplitMix(state: 7)
        let pieces = [
            "- ", "name: ", "iris", "\n", "\n  ", "\n    ", "kind: RealtimeAPI", "predictor:", "{", "}", "[", "]", ",",
            ": ", "&a ",
            "*a", "<<: ", "!!str ", "!x ", "\"", "'", "|\n", ">-\n", "#", "---\n", "...\n", "\t", "? ", "%", "@",
            "\u{0}", "é", "\r",
            "1e999", "0x", "-", ".", "~", "\\", "path: predictor.py", "type: python", "env: ", "config: ", "models: ",
            "apis: ",
        ]
        for _ in 0..<3000 {
            let count = Int.random(in: 1...40, using: &random)
            let text = (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
            #expect(!Sample.problems(text).contains { !$0.hasPrefix("cortex.yaml:") })
        }
    }
}
