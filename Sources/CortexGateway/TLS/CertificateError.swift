/// Why a certificate and its key cannot be used.
package enum CertificateError: Error, Hashable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    /// Others than its owner and group may read the key, or change it.
    case exposedKey(file: String, mode: UInt32)
    case noCertificate(file: String)
    case noKey(file: String)
    case encryptedKey(file: String)
    case mismatch(certificate: String, key: String)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)"
        case .exposedKey(let file, let mode):
            "the key \(file) can be read or written by every user of this machine (mode \(String(mode, radix: 8)))"
        case .noCertificate(let file): "\(file) holds no certificate in PEM form"
        case .noKey(let file): "\(file) holds no private key in PEM form"
        case .encryptedKey(let file): "the key \(file) is encrypted, and nobody can be asked for its passphrase"
        case .mismatch(let certificate, let key): "the key \(key) does not belong to the certificate \(certificate)"
        }
    }

    /// What to do about it.
    package var advice: String {
        switch self {
        case .unreadable: "name files that the server's user may read"
        case .exposedKey(let file, _): "run: chmod o= \(file)"
        case .noCertificate: "it must hold the server's own first, and then those that signed it"
        case .noKey: "it must begin with -----BEGIN PRIVATE KEY-----"
        case .encryptedKey(let file): "write it without one: openssl pkey -in \(file) -out plain.key"
        case .mismatch: "name the key that the certificate was made with"
        }
    }
}
