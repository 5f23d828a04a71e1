import CortexSpec
import Foundation
import Testing

@testable import CortexKubernetes

@Suite struct JSONParserTests {
    private func read(_ text: String) throws -> JSONValue { try KubernetesJSON.value(of: text.utf8) }

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "7", "-12", "9223372036854775807", "-9223372036854775808",
        "9223372036854775808",
        "1.0", "1.5", "-2.25e-3", "1E3", "1e+2", "123456789.125", #""""#, #""text""#, #""ä – 🙂""#,
        #""\"\\\/\b\f\n\r\t""#, #""\u00e4\u20AC\ud83d\ude42""#, #""before\u0041after""#, "[]", "[1]",
        " [ 1 , [ ] , { } ] ",
        "{}", #"{"a":1}"#, "\r\n\t{ \"a\" : [ true , null ] , \"b\" : { \"c\" : \"d\" } }\n",
        #"{"":""}"#,
    ])
    func `it reads what Foundation reads`(_ text: String) throws {
        #expect(try self.read(text) == KubernetesJSON.decoder.decode(JSONValue.self, from: Data(text.utf8)))
    }

    @Test(arguments: [
        "", " ", "nul", "nulls", "True", "+1", "01", "1.", ".5", "1e", "-", "0x1", "NaN", "1e999", "\"", "\"\\",
        "\"\\x\"",
        "\"\\u12\"", #""\u+123""#, #""\ud83d""#, #""\ud83dx""#, #""\ud83d\u0041""#, #""\ude42""#, "\"\n\"", "[", "[1",
        "[1,", "[1,]",
        "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\" 1}", "[}", "1 2",
        "{} x",
        "\u{0B}1", "tru", "falsehood",
    ])
    func `what is no JSON is refused`(_ text: String) {
        #expect(throws: JSONSyntaxError.self) { try self.read(text) }
    }

    @Test func `no nesting exhausts the stack`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try self.read(nested(512)) != .null)
        #expect(throws: JSONSyntaxError.self) { try self.read(nested(513)) }
        #expect(throws: JSONSyntaxError.self) { try self.read(String(repeating: #"{"a":"#, count: 1_000_000)) }
    }

    @Test func `an error tells where it is`() {
        #expect(throws: JSONSyntaxError(offset: 6)) { try self.read(#"{"a": x}"#) }
    }

    @Test func `what is written is read`() throws {
        let value: JSONValue = [
            "text": "\u{1}\"\\\u{7F}\u{2028}", "list": [1, -1, .double(0.1), .double(1e300), true, .null], "empty": [:],
        ]
        #expect(try KubernetesJSON.value(of: KubernetesJSON.encoder.encode(value)) == value)
    }
}
