package import NIOCore
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A descriptor that lines are written to from any thread, and that nobody may be reading.
///
/// Nothing here waits, since event loops log too: a line that finds a full pipe is dropped, and once there is room a line
/// says how many were.
package final class LineOutput: Sendable {
    /// What a pipe takes at once where it says that it has room.
    private static let pieceSize = Int(PIPE_BUF)

    private struct State {
        var dropped = 0
        /// The last line was not written to its end.
        var isTorn = false
    }

    private let descriptor: Int32
    private let note: @Sendable (_ dropped: Int) -> ByteBuffer
    private let state = Mutex(State())

    /// - Parameter note: The line that tells of dropped ones.
    package init(descriptor: Int32, note: @escaping @Sendable (_ dropped: Int) -> ByteBuffer) {
        self.descriptor = descriptor
        self.note = note
    }

    /// Writes one line, its newline included, or drops it.
    ///
    /// One line after the other, so that those of several threads never mix.
    package func write(_ line: ByteBuffer) {
        self.state.withLock { state in
            if state.dropped > 0, self.hasRoom {
                let dropped = state.dropped
                state.dropped = 0
                self.write(self.note(dropped), &state)
            }
            self.write(line, &state)
        }
    }

    private func write(_ line: ByteBuffer, _ state: inout State) {
        guard self.hasRoom else {
            state.dropped += 1
            return
        }
        var line = line
        if state.isTorn { line = ByteBuffer(string: "\n" + String(buffer: line)) }
        state.isTorn = line.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.pieceSize))
                guard self.hasRoom, Self.write(self.descriptor, piece) == piece.count else { return true }
                rest = rest.dropFirst(piece.count)
            }
            return false
        }
    }

    /// Not where this cannot be told: then a write is tried.
    private var hasRoom: Bool {
        var question = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&question, 1, 0) != 0
    }

    private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
        Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #else
        Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
