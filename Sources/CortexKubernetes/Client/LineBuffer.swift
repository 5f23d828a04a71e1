import NIOCore

/// Cuts bytes into lines.
struct LineBuffer {
    private var rest = ByteBuffer()

    /// The lines that are whole now, without their ends.
    mutating func take(_ chunk: ByteBuffer) -> [String] {
        var chunk = chunk
        self.rest.writeBuffer(&chunk)
        var lines: [String] = []
        while let end = self.rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let length = end - self.rest.readerIndex
            lines.append(self.rest.readString(length: length) ?? "")
            self.rest.moveReaderIndex(forwardBy: 1)
        }
        self.rest.discardReadBytes()
        return lines
    }

    /// What stands after the last end of a line.
    mutating func finish() -> String? {
        guard self.rest.readableBytes > 0 else { return nil }
        return self.rest.readString(length: self.rest.readableBytes)
    }
}
