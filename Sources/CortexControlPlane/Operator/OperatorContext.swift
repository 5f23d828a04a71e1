import Foundation
import Hummingbird
import Logging

/// What is known of one request to the operator.
struct OperatorContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Given by the client where it is well formed, else made here.
    var requestID = UUID().uuidString.lowercased()
    /// The name of the token that came with the request; empty on routes that need none.
    var tokenName = ""

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
    }

    /// Room for a config file of 1 MiB and its escapes.
    var maxUploadSize: Int { 4 << 20 }
}

extension Response {
    /// A value as the operator's JSON.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        var body = ByteBuffer(bytes: try StateJSON.encoder().encode(value))
        body.writeInteger(UInt8(ascii: "\n"))
        return Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: body)
        )
    }

    /// Plain text of one line.
    static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
