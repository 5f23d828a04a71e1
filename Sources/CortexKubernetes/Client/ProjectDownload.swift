import AsyncHTTPClient
package import NIOCore
import NIOHTTP1

/// Fetches what an object names by its address: a project that is kept elsewhere.
package struct ProjectDownload: Sendable {
    private let url: String

    /// - Parameter url: `https://…` or `http://…`.
    package init(url: String) {
        self.url = url
    }

    /// The bytes as they come.
    ///
    /// Throws ``DownloadError`` where there is nothing to be had.
    package func bytes() async throws -> some AsyncSequence<ByteBuffer, any Error> & Sendable {
        guard self.url.hasPrefix("https://") || self.url.hasPrefix("http://") else {
            throw DownloadError(url: self.url, reason: "allowed are https:// and http://")
        }
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: self.url), timeout: .minutes(10))
        guard response.status == .ok else {
            throw DownloadError(url: self.url, reason: "the server answered \(response.status.code)")
        }
        return response.body
    }
}

/// Why a project cannot be fetched.
package struct DownloadError: Error, Hashable, CustomStringConvertible {
    package var url: String
    package var reason: String

    package var description: String { "cannot fetch \(self.url): \(self.reason)" }
}
