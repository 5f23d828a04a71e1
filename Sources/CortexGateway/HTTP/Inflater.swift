import CZlib
import NIOCore
import Synchronization

/// Undoes gzip or zlib, piece by piece.
///
/// One thread at a time uses it: the event loop, or a blocking thread while the loop waits for that.
final class Inflater: Sendable {
    private let stream: Mutex<Stream>

    /// Nil where there is nothing to undo.
    init?(_ coding: ContentCoding) throws(GatewayError) {
        switch coding {
        case .gzip: self.stream = Mutex(try Stream(windowBits: 16 + MAX_WBITS, name: "gzip", hasMembers: true))
        case .deflate: self.stream = Mutex(try Stream(windowBits: MAX_WBITS, name: "zlib", hasMembers: false))
        case .identity, .unsupported: return nil
        }
    }

    /// Appends what `input` stands for to `output`, at most `bound` bytes of it, and takes from `input` what it used.
    ///
    /// - Returns: Whether all of the input is used up, and all that it stands for is there.
    func inflate(
        _ input: inout ByteBuffer,
        into output: inout ByteBuffer,
        atMost bound: Int
    ) throws(GatewayError) -> Bool {
        var rest = input
        var found = output
        let result: Result<Bool, GatewayError> = self.stream.withLock { stream in
            Result { () throws(GatewayError) in try stream.inflate(&rest, into: &found, atMost: bound) }
        }
        input = rest
        output = found
        return try result.get()
    }

    /// Refuses a stream that is not whole; to be called when no more input will come.
    func finish() throws(GatewayError) {
        let result: Result<Void, GatewayError> = self.stream.withLock { stream in
            Result { () throws(GatewayError) in try stream.finish() }
        }
        try result.get()
    }
}

extension Inflater {
    /// zlib's state, at an address that never changes: zlib checks that.
    private struct Stream: ~Copyable {
        private let state: UnsafeMutablePointer<z_stream>
        private let name: String
        /// Whether another stream may follow the end of one.
        private let hasMembers: Bool
        private var isAtEnd = false
        private var hasBegun = false
        /// The last output was full: there may be more of it without further input.
        private var hasMore = false

        init(windowBits: CInt, name: String, hasMembers: Bool) throws(GatewayError) {
            let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            state.initialize(to: z_stream())
            guard inflateInit2_(state, windowBits, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
                state.deallocate()
                throw .spoolBroken
            }
            self.state = state
            self.name = name
            self.hasMembers = hasMembers
        }

        deinit {
            inflateEnd(self.state)
            self.state.deallocate()
        }

        mutating func inflate(
            _ input: inout ByteBuffer,
            into output: inout ByteBuffer,
            atMost bound: Int
        ) throws(GatewayError) -> Bool {
            var left = bound
            while input.readableBytes > 0 || self.hasMore {
                if left == 0 { return false }
                if self.isAtEnd { try self.beginMember() }
                self.hasBegun = true
                let piece = min(left, 64 << 10)
                let (status, used, made) = self.step(input, into: &output, atMost: piece)
                input.moveReaderIndex(forwardBy: used)
                left -= made
                self.hasMore = made == piece && status == Z_OK
                switch status {
                case Z_STREAM_END: self.isAtEnd = true
                case Z_OK: break
                // Not an error: there was neither input nor output to be had.
                case Z_BUF_ERROR: self.hasMore = false
                default: throw .malformedEncoding(self.problem)
                }
            }
            return true
        }

        /// One call of zlib: its status, the bytes it took and the bytes it made.
        private func step(
            _ input: ByteBuffer,
            into output: inout ByteBuffer,
            atMost bound: Int
        ) -> (status: CInt, used: Int, made: Int) {
            let stream = self.state
            var status = Z_OK
            var used = 0
            let made = output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
                input.withUnsafeReadableBytes { source in
                    // zlib only reads from it, and says so with a macro that Swift does not see.
                    let bytes = source.bindMemory(to: UInt8.self).baseAddress
                    stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes)
                    stream.pointee.avail_in = UInt32(min(source.count, Int(UInt32.max)))
                    stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
                    stream.pointee.avail_out = UInt32(bound)
                    let offered = stream.pointee.avail_in
                    status = CZlib.inflate(stream, Z_NO_FLUSH)
                    used = Int(offered - stream.pointee.avail_in)
                    let made = bound - Int(stream.pointee.avail_out)
                    stream.pointee.next_in = nil
                    stream.pointee.next_out = nil
                    return made
                }
            }
            return (status, used, made)
        }

        private mutating func beginMember() throws(GatewayError) {
            guard self.hasMembers else { throw .malformedEncoding("there are bytes after the end of the zlib stream") }
            inflateReset(self.state)
            self.isAtEnd = false
        }

        private var problem: String {
            let message = self.state.pointee.msg.map { String(cString: $0) } ?? "the data is damaged"
            return "the body is no whole \(self.name) stream: \(message)"
        }

        func finish() throws(GatewayError) {
            guard self.hasBegun, !self.isAtEnd else { return }
            throw .malformedEncoding("the body is no whole \(self.name) stream: it ends before its end")
        }
    }
}
