internal import Crypto

/// Where objects are: a folder of this machine, or a place in a store.
package enum ModelLocation: Hashable, Sendable, Codable {
    /// Absolute, without a trailing `/`.
    case folder(String)
    case remote(RemoteLocation)

    /// What names the place for good, in hex: the same whenever a server starts, and with whatever credentials.
    package var key: String {
        var hash = SHA256()
        switch self {
        case .folder(let path):
            hash.update(field: "folder")
            hash.update(field: path)
        case .remote(let remote):
            hash.update(field: "remote")
            hash.update(field: remote.url)
            for (name, value) in remote.placeOptions.sorted(by: { $0.key < $1.key }) {
                hash.update(field: name)
                hash.update(field: value)
            }
        }
        return hash.finalize().hexadecimal
    }
}

/// A folder of an object store or of a web server.
package struct RemoteLocation: Hashable, Sendable, Codable {
    /// Ends in `/`; holds no credentials.
    package var url: String
    /// Variables of the API that overlay the server's environment (`AWS_*`, `GOOGLE_*`, `AZURE_*`); never logged.
    package var options: [String: String]

    package init(url: String, options: [String: String] = [:]) {
        self.url = url
        self.options = options
    }

    /// The options that say which store it is, not who asks: with another endpoint the same URL is another place.
    var placeOptions: [String: String] {
        self.options.filter { name, _ in name.contains("ENDPOINT") || name.contains("ACCOUNT_NAME") }
    }
}

extension HashFunction {
    /// Adds a text such that no two sequences of texts give the same bytes.
    mutating func update(field: String) {
        var text = field
        text.withUTF8 { bytes in
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { self.update(bufferPointer: $0) }
            self.update(bufferPointer: UnsafeRawBufferPointer(bytes))
        }
    }
}

extension Digest {
    var hexadecimal: String {
        self.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
