import CortexSpec
import Testing

@Suite struct DotEnvTests {
    @Test(arguments: [
        (line: "A=1", value: "1"),
        (line: "A=", value: ""),
        (line: "A=b=c", value: "b=c"),
        (line: "export A=1", value: "1"),
        (line: "  export\tA=1  ", value: "1"),
        (line: "A=1 # note", value: "1"),
        (line: "A=1#2", value: "1#2"),
        (line: "A=#", value: "#"),
        (line: "A= # note", value: ""),
        (line: "A= spaced out ", value: "spaced out"),
        (line: "A=\"x y\" # note", value: "x y"),
        (line: "A=\"a\\nb\\t\\\"c\\\" \\$d \\q\"", value: "a\nb\t\"c\" $d \\q"),
        (line: "A='a\\nb \"c\"'", value: "a\\nb \"c\""),
        (line: "A=\"two\nlines\"", value: "two\nlines"),
        (line: "A=$HOME `id` $(id)", value: "$HOME `id` $(id)"),
        (line: "A=\"größe\"", value: "größe"),
        (line: "\u{FEFF}A=1", value: "1"),
        (line: "A=1\r\n", value: "1"),
        (line: "A=1\nA=2", value: "2"),
        (line: "# comment\n\n   \nA=1", value: "1"),
        (line: "export=1\nA=1", value: "1"),
    ])
    func `a line gives its value`(line: String, value: String) throws {
        let variables = try DotEnv.parse(line)
        #expect(variables.first { $0.key == "A" }?.value == value)
    }

    @Test func `variables keep their order`() throws {
        let variables = try DotEnv.parse("B=1\nA=2\nC=3\nA=4\n")
        #expect(variables.map(\.key) == ["B", "A", "C"])
        #expect(variables.map(\.value) == ["1", "4", "3"])
    }

    @Test func `all wrong lines are told with their places`() {
        let text = "A\r\nOK=1\r\n=b\r\nexport B\r\n  1A=x\r\nC =1\r\nCORTEX_PORT=1\r\nD=\"x\r\nE='x' y\r\n"
        let error = #expect(throws: SpecError.self) { try DotEnv.parse(text) }
        #expect(
            error?.problems.map(\.description) == [
                #".env:1:1: there is no = after "A"; each line is VARIABLE=value"#,
                #".env:3:1: there is no name before =; each line is VARIABLE=value"#,
                #".env:4:8: there is no = after "B"; each line is VARIABLE=value"#,
                #".env:5:3: "1A" is not the name of a variable; letters, digits and _, no digit first"#,
                #".env:6:1: there are spaces before =; each line is VARIABLE=value"#,
                #".env:7:1: CORTEX_PORT is reserved; names that begin with CORTEX_ are set by Cortex"#,
                #".env:8:3: the quote is not closed; close it with ""#,
                #".env:9:7: there is text after the closing quote; quote the whole value"#,
            ]
        )
    }
}
