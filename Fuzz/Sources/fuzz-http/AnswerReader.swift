import NIOCore
import NIOHTTP1

/// Reads what the gateway wrote, as strictly as a client may.
enum AnswerReader {
    struct Answer {
        /// `X-Request-ID`.
        var id: String?
        var isWhole: Bool
    }

    /// - Parameter methods: Of the requests: `HEAD` has answers without a body.
    static func answers(in output: ByteBuffer, methods: [HTTPMethod]) -> [Answer] {
        var output = output
        var answers: [Answer] = []
        while output.readableBytes > 0 {
            let (status, headers) = self.head(&output)
            if status == 100 { continue }
            let id = self.only("x-request-id", headers)
            precondition(id != nil, "an answer has no id")
            let isHead = id.flatMap(Int.init).map { methods[$0] == .HEAD } ?? false
            answers.append(Answer(id: id, isWhole: self.skipBody(&output, status, headers, isHead: isHead)))
        }
        return answers
    }

    private static func head(_ output: inout ByteBuffer) -> (status: Int, headers: [(String, String)]) {
        let view = output.readableBytesView
        guard let end = view.firstRange(of: Array("\r\n\r\n".utf8)) else { preconditionFailure("a head has no end") }
        let text = output.readString(length: end.upperBound - view.startIndex) ?? ""
        precondition(text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x0D || $0 == 0x0A }, "a byte in a head")
        var lines = text.split(separator: "\r\n")
        precondition(lines.allSatisfy { !$0.utf8.contains(0x0A) && !$0.utf8.contains(0x0D) }, "a bare end of line")
        let words = lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[0] == "HTTP/1.1", words[1].count == 3, let status = Int(words[1]) else {
            preconditionFailure("a status line that is none: \(words)")
        }
        let headers = lines.map { line -> (String, String) in
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                preconditionFailure("a header that is none: \(line)")
            }
            return (line[..<colon].lowercased(), String(line[colon...].dropFirst().drop { $0 == " " }))
        }
        return (status, headers)
    }

    private static func only(_ name: String, _ headers: [(String, String)]) -> String? {
        let values = headers.filter { $0.0 == name }
        precondition(values.count <= 1, "\(name) is there twice")
        return values.first?.1
    }

    /// Whether the body is whole.
    private static func skipBody(
        _ output: inout ByteBuffer,
        _ status: Int,
        _ headers: [(String, String)],
        isHead: Bool
    ) -> Bool {
        let length = self.only("content-length", headers)
        if self.only("transfer-encoding", headers) == "chunked" {
            precondition(length == nil, "two lengths")
            return self.skipChunks(&output)
        }
        guard let length else {
            if status == 204 || status == 304 { return true }
            // Until the end of the connection: HTTP/1.0.
            output.moveReaderIndex(to: output.writerIndex)
            return true
        }
        guard let length = Int(length) else { preconditionFailure("a length that is none") }
        if isHead { return true }
        precondition(output.readableBytes >= length, "an answer is cut short")
        output.moveReaderIndex(forwardBy: length)
        return true
    }

    private static func skipChunks(_ output: inout ByteBuffer) -> Bool {
        while true {
            guard let end = output.readableBytesView.firstRange(of: Array("\r\n".utf8)) else { return false }
            let line = output.readString(length: end.lowerBound - output.readerIndex) ?? ""
            output.moveReaderIndex(forwardBy: 2)
            guard let size = Int(line, radix: 16) else { preconditionFailure("a chunk's size that is none") }
            precondition(output.readableBytes >= size + 2, "a chunk is cut short")
            output.moveReaderIndex(forwardBy: size)
            precondition(output.readString(length: 2) == "\r\n", "a chunk has no end")
            if size == 0 { return true }
        }
    }
}
