import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix

/// Why nobody answered, in words.
struct ConnectionFailure: CustomStringConvertible {
    let description: String

    init(_ error: any Error) {
        switch error {
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first?.error {
                self.description = Self.text(of: failure)
            } else {
                self.description = "the name \(error.host) is not known"
            }
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout: self.description = "it did not take the connection within 5 s"
            case .deadlineExceeded, .readTimeout, .writeTimeout: self.description = "it did not answer in time"
            case .remoteConnectionClosed: self.description = "it closed the connection without an answer"
            default: self.description = error.shortDescription
            }
        default: self.description = Self.text(of: error)
        }
    }

    private static func text(of error: any Error) -> String {
        guard let error = error as? IOError else { return "\(error)" }
        return String(cString: strerror(error.errnoCode)).lowercased()
    }
}
