import AsyncHTTPClient
import CortexControlPlane
import Foundation
import NIOCore
import NIOHTTP1

/// What came back for a sample.
struct SampleAnswer: Sendable {
    var status: Int
    var milliseconds: Double
    /// Its beginning, or what it is where it is no text.
    var text: String

    /// Of which the beginning is kept.
    private static let kept = 4096

    /// Sends a file to an API; throws where there is no answer.
    ///
    /// - Parameter requestID: By which its line in the access log is known.
    static func of(_ file: String, mediaType: String, endpoint: String, requestID: String) async throws -> SampleAnswer
    {
        var request = HTTPClientRequest(url: endpoint)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: mediaType)
        request.headers.add(name: "X-Request-ID", value: requestID)
        request.body = .bytes(ByteBuffer(bytes: try Data(contentsOf: URL(filePath: file))))
        let began = ContinuousClock.now
        let response = try await OperatorClient.http.execute(request, timeout: .hours(1))
        var beginning: [UInt8] = []
        var count = 0
        for try await buffer in response.body {
            count += buffer.readableBytes
            beginning += buffer.readableBytesView.prefix(Self.kept - beginning.count)
        }
        let type = response.headers.first(name: "Content-Type")?.split(separator: ";").first.map(String.init)
        let isText = type.map { $0.hasPrefix("text/") || $0.hasSuffix("json") || $0.hasSuffix("xml") } ?? true
        return SampleAnswer(
            status: Int(response.status.code),
            milliseconds: (ContinuousClock.now - began) / .milliseconds(1),
            text: isText ? String(decoding: beginning, as: UTF8.self) : "\(type ?? ""), \(count) bytes"
        )
    }
}
