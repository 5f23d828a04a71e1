package import CortexSpec
import Foundation
package import NIOCore

/// What a `failure` frame says: an answer that is an error, in the worker's words.
package struct FailureFrame: Hashable, Sendable, Decodable {
    package var code: String
    package var error: String
    package var hint: String?
    package var detail: JSONValue?
    /// Name and value of each header that the user's exception carried.
    package var headers: [[String]]?

    /// Reads the body of the frame: the time that `predict` took, and the failure; nil where it is of another layout.
    package static func read(_ body: ByteBuffer) -> (microseconds: UInt32, failure: FailureFrame)? {
        var body = body
        guard
            let microseconds = body.readInteger(endianness: .little, as: UInt32.self),
            let failure = try? JSONDecoder().decode(FailureFrame.self, from: Data(body.readableBytesView))
        else { return nil }
        return (microseconds, failure)
    }
}
