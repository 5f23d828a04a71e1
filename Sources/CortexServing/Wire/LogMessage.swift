import CortexWire
import NIOCore

/// `LOG`: a line of the user's, or of the worker's own.
package struct LogMessage: Hashable, Sendable {
    package var level: String
    package var message: String
    package var requestID: String?
    package var stream: String
}

extension LogMessage {
    /// From the body of a frame; nil where it is none.
    ///
    /// Not JSON, since this is done on an event loop, for each line that a predictor prints.
    init?(_ frame: Frame) {
        guard let level = Self.level(frame.code), let stream = Self.stream(frame.flags) else { return nil }
        var body = frame.body
        guard
            let length = body.readInteger(endianness: .little, as: UInt16.self),
            let id = body.readString(length: Int(length)),
            let message = body.readString(length: body.readableBytes)
        else { return nil }
        self.init(level: level, message: message, requestID: id.isEmpty ? nil : id, stream: stream)
    }

    private static func level(_ code: UInt16) -> String? {
        switch code {
        case 0: "info"
        case 1: "warning"
        case 2: "error"
        default: nil
        }
    }

    private static func stream(_ flags: Frame.Flags) -> String? {
        switch flags.rawValue {
        case 0: "worker"
        case 1: "stdout"
        case 2: "stderr"
        default: nil
        }
    }
}
