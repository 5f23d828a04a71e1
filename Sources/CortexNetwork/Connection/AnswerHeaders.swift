import NIOCore
import NIOHTTP1

/// What the head of a replica's answer says, found in one pass over it.
struct AnswerHeaders {
    /// What goes on to the client.
    private(set) var passed: [(name: String, value: String)] = []
    /// Bytes of the body, where they are announced.
    private(set) var length: Int?
    /// What went wrong, where the gateway of the replica says so.
    private(set) var error: String?
    private(set) var isNotStarted = false
    /// Seconds.
    private(set) var retryAfter: Int?
    private(set) var worker: String?
    private(set) var version: Int?
    /// What `predict` took.
    private(set) var predict: TimeAmount?

    /// Of the connection to the replica (RFC 9110, 7.6.1), or made anew for the client.
    private static let own = HeaderNames([
        "connection", "keep-alive", "transfer-encoding", "trailer", "upgrade", "content-length", "date", "x-request-id",
    ])

    init(_ headers: HTTPHeaders) {
        self.passed.reserveCapacity(headers.count)
        var lastTiming: Int?
        for (name, value) in headers {
            if Self.own.contains(name) {
                if self.length == nil, HeaderNames.equal(name, "content-length") { self.length = Int(value) }
            } else if HeaderNames.begins(name, with: "x-cortex-") {
                self.take(name, value)
            } else {
                if HeaderNames.equal(name, "server-timing") { lastTiming = self.passed.count }
                if self.retryAfter == nil, HeaderNames.equal(name, "retry-after") { self.retryAfter = Int(value) }
                self.passed.append((name, value))
            }
        }
        // The last one is the replica's own; others are the predictor's.
        if let lastTiming {
            self.predict = Self.duration(of: "predict", in: self.passed.remove(at: lastTiming).value)
        }
    }

    /// See `ReplicaProtocol`.
    private mutating func take(_ name: String, _ value: String) {
        if HeaderNames.equal(name, "x-cortex-worker") {
            self.worker = self.worker ?? value
        } else if HeaderNames.equal(name, "x-cortex-version") {
            self.version = self.version ?? Int(value)
        } else if HeaderNames.equal(name, "x-cortex-error") {
            self.error = self.error ?? value
        } else if HeaderNames.equal(name, "x-cortex-not-started") {
            self.isNotStarted = true
        }
    }

    /// `predict;dur=1.25` of `queue;dur=0.1, predict;dur=1.25`, which is milliseconds.
    static func duration(of name: StaticString, in text: String) -> TimeAmount? {
        var text = text
        return text.withUTF8 { text in
            name.withUTF8Buffer { name in
                for metric in text.split(separator: UInt8(ascii: ",")) {
                    let metric = metric.drop { $0 == UInt8(ascii: " ") }
                    guard metric.starts(with: name) else { continue }
                    let rest = metric.dropFirst(name.count)
                    guard rest.starts(with: ";dur=".utf8) else { continue }
                    return Self.milliseconds(rest.dropFirst(5))
                }
                return nil
            }
        }
    }

    /// Digits, with or without a fraction; what is beyond the nanosecond is left out.
    private static func milliseconds(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> TimeAmount? {
        var nanoseconds: Int64 = 0
        var unit: Int64 = 1_000_000
        var (isFraction, count) = (false, 0)
        for byte in digits {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = Int64(byte - UInt8(ascii: "0"))
                if isFraction {
                    unit /= 10
                    nanoseconds += digit * unit
                } else {
                    count += 1
                    // Thirty years are enough.
                    guard count <= 12 else { return nil }
                    nanoseconds = nanoseconds * 10 + digit * unit
                }
            case UInt8(ascii: ".") where !isFraction && count > 0: isFraction = true
            default: return nil
            }
        }
        return count > 0 ? .nanoseconds(nanoseconds) : nil
    }
}
