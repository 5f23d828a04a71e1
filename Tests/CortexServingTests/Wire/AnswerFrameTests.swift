import CortexSpec
import CortexWire
import NIOCore
import Testing

@testable import CortexServing

@Suite struct AnswerFrameTests {
    private func bytes(
        content: UInt8 = 1,
        form: UInt8 = 0,
        count: UInt16? = nil,
        headers: [([UInt8], [UInt8])] = [],
        rest: String = ""
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(
            UInt32(1234),
            content,
            form,
            count ?? UInt16(headers.count),
            endianness: .little
        )
        for (name, value) in headers {
            buffer.writeMultipleIntegers(UInt16(name.count), UInt32(value.count), endianness: .little)
            buffer.writeBytes(name)
            buffer.writeBytes(value)
        }
        buffer.writeString(rest)
        return buffer
    }

    @Test(
        arguments: [
            (0, nil), (1, "application/json"), (2, "text/plain; charset=utf-8"), (3, "application/octet-stream"),
        ] as [(UInt8, String?)]
    )
    func `a kind of content stands for its media type`(content: UInt8, mediaType: String?) throws {
        let frame = try #require(AnswerFrame(self.bytes(content: content, rest: "body")))
        #expect(frame.content.mediaType == mediaType)
        #expect(frame.predictMicroseconds == 1234)
        #expect(frame.form == .inline)
        #expect(frame.headers.isEmpty)
        #expect(String(buffer: frame.rest) == "body")
    }

    @Test(arguments: [0, 1, 7, 8, 13, 30, 31, 40])
    func `a large answer may be cut anywhere`(position: Int) throws {
        var bytes = self.bytes(headers: [(Array("name".utf8), Array("a value".utf8))], rest: "a body that is long")
        let first = bytes.readSlice(length: position)
        let second = bytes.readSlice(length: 3)
        var frame = Frame(.answer, body: try #require(first))
        frame.tail = [try #require(second), bytes]
        let answer = try #require(AnswerFrame(frame))
        #expect(answer.headers == [AnswerFrame.Header(name: "name", value: "a value")])
        let body = ([answer.rest] + answer.tail).map { String(buffer: $0) }.joined()
        #expect(body == "a body that is long")
    }

    @Test func `the path of a file is in one piece`() throws {
        var frame = Frame(.answer, body: self.bytes(form: 1, rest: "/a/long"))
        frame.tail = [ByteBuffer(string: "/path")]
        let answer = try #require(AnswerFrame(frame))
        #expect(String(buffer: answer.rest) == "/a/long/path")
        #expect(answer.tail.isEmpty)
    }

    @Test func `headers keep their order, their repeats and their bytes`() throws {
        let headers: [([UInt8], [UInt8])] = [
            (Array("set-cookie".utf8), Array("a=1".utf8)), (Array("set-cookie".utf8), []),
            (Array("x-name".utf8), [0x6E, 0xE9, 0xFF]),
        ]
        let frame = try #require(AnswerFrame(self.bytes(content: 0, form: 2, headers: headers, rest: "/spool/1")))
        #expect(frame.headers.map(\.name) == ["set-cookie", "set-cookie", "x-name"])
        #expect(frame.headers.map(\.value) == ["a=1", "", "n\u{E9}\u{FF}"])
        #expect(frame.form == .spool)
        #expect(String(buffer: frame.rest) == "/spool/1")
    }

    @Test func `what is cut short is no answer`() {
        let whole = self.bytes(headers: [(Array("name".utf8), Array("value".utf8))])
        for length in 0..<whole.readableBytes {
            #expect(AnswerFrame(whole.getSlice(at: 0, length: length) ?? ByteBuffer()) == nil, "\(length) bytes")
        }
        #expect(AnswerFrame(whole) != nil)
    }

    @Test(arguments: [(4, 0), (0xFF, 0), (1, 3), (1, 0xFF)] as [(UInt8, UInt8)])
    func `an unknown content or form is no answer`(content: UInt8, form: UInt8) {
        #expect(AnswerFrame(self.bytes(content: content, form: form)) == nil)
    }

    @Test func `a count of headers that cannot be there is no answer`() {
        #expect(AnswerFrame(self.bytes(count: .max, rest: "short")) == nil)
    }

    @Test(
        arguments: [
            ("{}", nil), ("", nil), (#"{"code": "X"}"#, nil),
            (#"{"code": "X", "error": "e"}"#, FailureFrame(code: "X", error: "e")),
            (
                #"{"code": "X", "error": "e", "hint": "h", "detail": {"a": [1]}, "headers": [["a", "b"]], "more": 1}"#,
                FailureFrame(
                    code: "X",
                    error: "e",
                    hint: "h",
                    detail: .object(["a": .array([.int(1)])]),
                    headers: [["a", "b"]]
                )
            ),
        ] as [(String, FailureFrame?)]
    )
    func `a failure has a code and a sentence`(json: String, expected: FailureFrame?) {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(77), endianness: .little)
        buffer.writeString(json)
        let read = FailureFrame.read(buffer)
        #expect(read?.failure == expected)
        #expect(read?.microseconds == expected.map { _ in 77 })
    }
}
