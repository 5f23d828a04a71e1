import Crypto
import NIOHTTP1
import Synchronization

/// The keys that may call an API: their digests, so that no key stays in memory longer than it takes to read it.
///
/// They may be replaced while requests come in.
package final class APIKeys: Sendable {
    /// Nil where the keys could not be read: nobody is let in then.
    private let digests: Mutex<[SHA256Digest]?>

    /// - Parameter keys: Nil where they could not be read.
    package init(_ keys: [String]?) {
        self.digests = Mutex(keys.map(Self.digests))
    }

    /// Lets in those who have one of these from now on, and nobody else.
    /// - Returns: Whether that changes anything.
    package func replace(with keys: [String]) -> Bool {
        let new = Self.digests(of: keys)
        return self.digests.withLock { digests in
            defer { digests = new }
            return digests != new
        }
    }

    private static func digests(of keys: [String]) -> [SHA256Digest] {
        keys.map { SHA256.hash(data: Array($0.utf8)) }
    }

    enum Verdict: Hashable {
        case admitted
        /// No key, a wrong one, or a header twice.
        case refused
        /// Nobody can be told from anybody else.
        case unreadable
    }

    /// Whether a request with these headers may go on: `X-API-Key: KEY`, or else `Authorization: Bearer KEY`.
    func verdict(on headers: HTTPHeaders, _ known: KnownHeaders) -> Verdict {
        guard let digests = self.digests.withLock({ $0 }) else { return .unreadable }
        guard let key = Self.key(in: headers, known) else { return .refused }
        let digest = SHA256.hash(data: Array(key.utf8))
        // All are compared, each in constant time: how long it takes does not tell which came near.
        var isKnown = false
        for known in digests { isKnown = (known == digest) || isKnown }
        return isKnown ? .admitted : .refused
    }

    /// Each header counts at most once: proxies do not agree on which of two is meant.
    private static func key(in headers: HTTPHeaders, _ known: KnownHeaders) -> Substring? {
        guard known.apiKey.count <= 1, known.authorization.count <= 1 else { return nil }
        if let key = headers.first(known.apiKey) { return key[...] }
        guard let value = headers.first(known.authorization), let space = value.firstIndex(of: " ") else { return nil }
        guard value[..<space].lowercased() == "bearer" else { return nil }
        return value[space...].drop { $0 == " " }
    }
}
