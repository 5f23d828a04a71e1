package import CortexWire
package import NIOCore

/// The part that `answer` and `head` frames begin with, read.
package struct AnswerFrame: Hashable, Sendable {
    package enum Content: UInt8, Sendable {
        /// As the headers say.
        case given = 0
        case json = 1
        case text = 2
        case octets = 3

        /// The value of `content-type` that this stands for.
        package var mediaType: String? {
            switch self {
            case .given: nil
            case .json: "application/json"
            case .text: "text/plain; charset=utf-8"
            case .octets: "application/octet-stream"
            }
        }
    }

    package enum Form: UInt8, Sendable {
        case inline = 0
        /// The body is a file of the user's, by its path.
        case file = 1
        /// The body is a file in the spool, by its path: to be unlinked once open.
        case spool = 2
    }

    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: String
    }

    package var predictMicroseconds: UInt32
    package var content: Content
    package var form: Form
    package var headers: [Header]
    /// The body, or the path of its file.
    package var rest: ByteBuffer
    /// What follows `rest`, of a large body.
    package var tail: [ByteBuffer] = []

    /// Nil where its bytes are not of this layout.
    package init?(_ frame: Frame) {
        // What comes before the body may be cut, too, and a path is to be in one piece.
        if !frame.tail.isEmpty, let answer = Self(frame.body), answer.form == .inline {
            self = answer
            self.tail = frame.tail
        } else {
            self.init(frame.gathered)
        }
    }

    /// Nil where the bytes are not of this layout.
    package init?(_ body: ByteBuffer) {
        var body = body
        guard
            let (microseconds, content, form, count) = body.readMultipleIntegers(
                endianness: .little,
                as: (UInt32, UInt8, UInt8, UInt16).self
            ),
            let content = Content(rawValue: content), let form = Form(rawValue: form)
        else { return nil }
        self.predictMicroseconds = microseconds
        self.content = content
        self.form = form
        self.headers = []
        if count > 0 {
            // A header takes six bytes at least: a count beyond that is a lie, and must reserve nothing.
            guard Int(count) * 6 <= body.readableBytes else { return nil }
            self.headers.reserveCapacity(Int(count))
            for _ in 0..<count {
                guard let header = Self.readHeader(&body) else { return nil }
                self.headers.append(header)
            }
        }
        self.rest = body
    }

    private static func readHeader(_ body: inout ByteBuffer) -> Header? {
        guard
            let (nameLength, valueLength) = body.readMultipleIntegers(endianness: .little, as: (UInt16, UInt32).self),
            let name = body.readLatin1(length: Int(nameLength)),
            let value = body.readLatin1(length: Int(valueLength))
        else { return nil }
        return Header(name: name, value: value)
    }
}

extension ByteBuffer {
    /// Header fields are bytes on the wire; Python's side writes them as ISO 8859-1, one scalar a byte.
    fileprivate mutating func readLatin1(length: Int) -> String? {
        guard let bytes = self.readBytes(length: length) else { return nil }
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: bytes.lazy.map { Unicode.Scalar($0) })
        return String(text)
    }
}
