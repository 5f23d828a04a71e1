import NIOHTTP1

/// What the gateway itself reads of a request's headers, found in one pass over them.
///
/// A dozen questions are asked of the headers of each request; each would be a scan of its own.
struct KnownHeaders {
    /// A header that may be there more than once.
    ///
    /// Its place and not its value: few are asked for, and values would be counted as references with each copy of this.
    struct Field: Equatable {
        fileprivate var first: HTTPHeaders.Index?
        private(set) var count = 0

        var isThere: Bool { self.count > 0 }

        fileprivate mutating func add(_ index: HTTPHeaders.Index) {
            if self.count == 0 { self.first = index }
            self.count += 1
        }
    }

    private(set) var host = Field()
    private(set) var contentType = Field()
    private(set) var contentLength = Field()
    private(set) var contentEncoding = Field()
    private(set) var transferEncoding = Field()
    private(set) var expect = Field()
    private(set) var requestID = Field()
    private(set) var requestTimeout = Field()
    private(set) var hops = Field()
    private(set) var traceParent = Field()
    private(set) var origin = Field()
    private(set) var apiKey = Field()
    private(set) var authorization = Field()
    private(set) var hasUpgrade = false
    /// A gateway asks, for a client of its own: see `ReplicaProtocol`.
    private(set) var isFromGateway = false
    /// 0 where no length is announced (no body, or a chunked one).
    private(set) var announcedLength = 0
    /// Bytes of all names and values.
    private(set) var size = 0
    /// Bytes of the longest name or value.
    private(set) var longest = 0
    /// Whether a value has blanks around it, which are no part of it (RFC 9110, 5.5).
    private(set) var hasOuterBlanks = false

    init(_ headers: HTTPHeaders) {
        for index in headers.indices {
            let (name, value) = headers[index]
            let (nameLength, valueLength) = (name.utf8.count, value.utf8.count)
            self.size += nameLength + valueLength
            self.longest = max(self.longest, nameLength, valueLength)
            if Self.isBlank(value.utf8.last) || Self.isBlank(value.utf8.first) { self.hasOuterBlanks = true }
            self.take(name, index)
        }
        self.announcedLength = Self.length(headers.first(self.contentLength))
    }

    private static func length(_ text: String?) -> Int {
        guard let text else { return 0 }
        // The parser has made sure that it is a number below 2^64.
        return Int(text) ?? (UInt64(text) == nil ? 0 : .max)
    }

    /// Few names have the same length, so a header is compared with one or two of them.
    private mutating func take(_ name: String, _ index: HTTPHeaders.Index) {
        switch name.utf8.count {
        case 4: if Self.equal(name, "host") { self.host.add(index) }
        case 6:
            if Self.equal(name, "expect") {
                self.expect.add(index)
            } else if Self.equal(name, "origin") {
                self.origin.add(index)
            }
        case 7: if Self.equal(name, "upgrade") { self.hasUpgrade = true }
        case 9: if Self.equal(name, "x-api-key") { self.apiKey.add(index) }
        case 11: if Self.equal(name, "traceparent") { self.traceParent.add(index) }
        case 12:
            if Self.equal(name, "content-type") {
                self.contentType.add(index)
            } else if Self.equal(name, "x-request-id") {
                self.requestID.add(index)
            }
        case 13:
            if Self.equal(name, ChainHops.header) {
                self.hops.add(index)
            } else if Self.equal(name, "authorization") {
                self.authorization.add(index)
            }
        case 14: if Self.equal(name, "content-length") { self.contentLength.add(index) }
        case 16:
            if Self.equal(name, "content-encoding") {
                self.contentEncoding.add(index)
            } else if Self.equal(name, "x-cortex-gateway") {
                self.isFromGateway = true
            }
        case 17:
            if Self.equal(name, "x-request-timeout") {
                self.requestTimeout.add(index)
            } else if Self.equal(name, "transfer-encoding") {
                self.transferEncoding.add(index)
            }
        default: break
        }
    }

    private static func isBlank(_ byte: UInt8?) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    /// - Parameter known: Of lower-case letters and hyphens, and as long as `name`.
    private static func equal(_ name: String, _ known: StaticString) -> Bool {
        var name = name
        return name.withUTF8 { name in
            known.withUTF8Buffer { known in
                // The two cases of a letter differ in this bit alone; a hyphen has it, and so has no other form.
                zip(name, known).allSatisfy { $0 == $1 || ($0 | 0x20 == $1 && $1 != UInt8(ascii: "-")) }
            }
        }
    }
}

extension HTTPHeaders {
    /// The first value of a header that was found in these.
    func first(_ field: KnownHeaders.Field) -> String? {
        field.first.map { self[$0].value }
    }
}
