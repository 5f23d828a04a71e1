#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Files that the kernel makes up as they are read: they tell no size beforehand, and are gone with what they tell of.
package enum KernelFile {
    /// The whole of a file; nil where there is none, or it is another user's.
    package static func bytes(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            let offset = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: Self.step))
            let count = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + offset }, Self.step)
            }
            guard count >= 0 else { return nil }
            bytes.removeLast(Self.step - count)
            if count == 0 { return bytes }
        }
    }

    private static let step = 2048

    /// As text, without the end of its last line.
    package static func text(_ path: String) -> String? {
        guard var bytes = Self.bytes(path) else { return nil }
        while bytes.last == 0x0A { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Tells the kernel something; false where it does not take it.
    @discardableResult
    package static func write(_ text: String, to path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { Self.write($0, to: descriptor) } == bytes.count
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
        #if canImport(Darwin)
        Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #else
        Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
