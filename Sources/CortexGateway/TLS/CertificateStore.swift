import CFileStatus
import Crypto
import NIOSSL
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The certificate that new connections are shown; replaced when its files change, without touching those that are open.
package final class CertificateStore: Sendable {
    /// What a look at the files came to.
    package enum Change: Hashable, Sendable {
        case none
        case replaced(expires: Int)
        /// The old certificate stays. Told once for each state of the files.
        case failed(CertificateError)
    }

    private struct State {
        var context: NIOSSLContext
        /// When the certificate expires, in seconds since 1970.
        var expires: Int
        /// Of the files as they were looked at last, whether or not they were usable.
        var seen: SHA256Digest?
    }

    private let files: TLSFiles
    private let state: Mutex<State>

    package init(_ files: TLSFiles) throws(CertificateError) {
        self.files = files
        let pair = try Pair(files)
        let (context, expires) = try pair.load()
        self.state = Mutex(State(context: context, expires: expires, seen: pair.digest))
    }

    var context: NIOSSLContext { self.state.withLock { $0.context } }
    package var expires: Int { self.state.withLock { $0.expires } }

    /// Reads the files again.
    ///
    /// They may be links, or renamed into place one after the other: a pair that does not match is tried again the next time.
    package func refresh() -> Change {
        do throws(CertificateError) {
            let pair = try Pair(self.files)
            guard self.state.withLock({ $0.seen != pair.digest }) else { return .none }
            self.state.withLock { $0.seen = pair.digest }
            let (context, expires) = try pair.load()
            self.state.withLock {
                $0.context = context
                $0.expires = expires
            }
            return .replaced(expires: expires)
        } catch {
            guard case .unreadable = error else { return .failed(error) }
            // Between two renames there may be no file for a moment; told when it begins, and read anew when it is there.
            let isNew = self.state.withLock { state in
                defer { state.seen = nil }
                return state.seen != nil
            }
            return isNew ? .failed(error) : .none
        }
    }
}

/// Both files, as they were at one moment.
private struct Pair {
    let files: TLSFiles
    let certificate: [UInt8]
    let key: [UInt8]
    let mode: UInt32

    init(_ files: TLSFiles) throws(CertificateError) {
        self.files = files
        (self.certificate, _) = try Self.read(files.certificate)
        (self.key, self.mode) = try Self.read(files.key)
    }

    var digest: SHA256Digest {
        var hash = SHA256()
        hash.update(data: SHA256.hash(data: self.certificate).map(\.self))
        hash.update(data: self.key)
        withUnsafeBytes(of: self.mode) { hash.update(bufferPointer: $0) }
        return hash.finalize()
    }

    func load() throws(CertificateError) -> (NIOSSLContext, expires: Int) {
        guard self.mode & 0o007 == 0 else { throw .exposedKey(file: self.files.key, mode: self.mode) }
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(self.certificate), let own = chain.first else {
            throw .noCertificate(file: self.files.certificate)
        }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(bytes: self.key, format: .pem)
        } catch {
            let isEncrypted = String(decoding: self.key, as: UTF8.self).contains("ENCRYPTED")
            throw isEncrypted ? .encryptedKey(file: self.files.key) : .noKey(file: self.files.key)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        guard let context = try? NIOSSLContext(configuration: configuration) else {
            throw .mismatch(certificate: self.files.certificate, key: self.files.key)
        }
        return (context, own.notValidAfter)
    }

    private static let largest = 1 << 20

    private static func read(_ path: String) throws(CertificateError) -> (bytes: [UInt8], mode: UInt32) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.unreadable(path) }
        defer { close(descriptor) }
        var status = FileStatus()
        guard cortex_fstat(descriptor, &status) == 0 else { throw Self.unreadable(path) }
        guard status.mode & S_IFMT == S_IFREG else { throw .unreadable(file: path, reason: "it is not a file") }
        guard status.size <= Self.largest else { throw .unreadable(file: path, reason: "it is larger than 1 MiB") }
        var bytes = [UInt8](repeating: 0, count: Int(status.size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { piece(descriptor, $0, filled) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.unreadable(path) }
            if count == 0 { break }
            filled += count
        }
        return (Array(bytes.prefix(filled)), UInt32(status.mode & 0o777))
    }

    private static func piece(_ descriptor: CInt, _ bytes: UnsafeMutableRawBufferPointer, _ offset: Int) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        return pread(descriptor, base + offset, bytes.count - offset, off_t(offset))
    }

    private static func unreadable(_ path: String) -> CertificateError {
        .unreadable(file: path, reason: String(cString: strerror(errno)))
    }
}
