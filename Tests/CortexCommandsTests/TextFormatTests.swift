import CortexSpec
import Testing

@testable import CortexCommands

@Suite struct TextFormatTests {
    @Test(arguments: [
        ("{}", "{}"),
        ("[ ]", "[]"),
        (#"{"a":1,"b":[1.50,2e10]}"#, "{\n  \"a\": 1,\n  \"b\": [\n    1.50,\n    2e10\n  ]\n}"),
        (#"[{"a":{}},[]]"#, "[\n  {\n    \"a\": {}\n  },\n  []\n]"),
        (#""a, {b}: \" [c]""#, #""a, {b}: \" [c]""#),
        (#"{"a":"\\","b":"é\u00e9"}"#, "{\n  \"a\": \"\\\\\",\n  \"b\": \"é\\u00e9\"\n}"),
        ("12345678901234567890", "12345678901234567890"),
    ])
    func `JSON is laid out without a change to its values`(text: String, expected: String) {
        #expect(String(decoding: JSONText.indented(text.utf8), as: UTF8.self) == expected)
    }

    @Test(arguments: [
        (JSONValue.string("plain"), "plain"),
        (.string("/path/x.py"), "/path/x.py"),
        (.string("no"), "\"no\""),
        (.string("N"), "\"N\""),
        (.string("1.5"), "\"1.5\""),
        (.string(""), "\"\""),
        (.string("a: b"), "\"a: b\""),
        (.string("a\n\"b\"\u{1}"), "\"a\\n\\\"b\\\"\\x01\""),
        (.int(3), "3"),
        (.bool(true), "true"),
        (.array([]), "[]"),
        (.object(["a": .null, "b": .object([:]), "c": .array([.int(1)])]), "c:\n  - 1"),
        (.array([.object(["z": .int(1), "name": .string("x")])]), "- name: x\n  z: 1"),
    ])
    func `YAML reads back as what it was`(value: JSONValue, expected: String) {
        #expect(YAMLText.render(value, first: ["name"]) == expected)
    }
}
