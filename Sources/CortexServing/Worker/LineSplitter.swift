/// Cuts a process's output into lines of bounded length; what is not UTF-8 is shown as U+FFFD, empty lines are left out.
package struct LineSplitter {
    /// Bytes of a line beyond which it is cut.
    private let limit: Int
    /// What stands for the rest of a line that was cut.
    private let ellipsis: String
    /// Whether a carriage return ends a line too, as in progress bars.
    private let endsAtReturns: Bool

    private var pending: [UInt8] = []
    private var isCut = false

    package init(limit: Int = 64 << 10, ellipsis: String = " [cut]", endsAtReturns: Bool = false) {
        self.limit = limit
        self.ellipsis = ellipsis
        self.endsAtReturns = endsAtReturns
    }

    /// Emits the lines that these bytes complete.
    package mutating func append(_ bytes: UnsafeRawBufferPointer, _ emit: (String) -> Void) {
        var rest = bytes[...]
        while let end = rest.firstIndex(where: { $0 == 0x0A || self.endsAtReturns && $0 == 0x0D }) {
            self.take(rest[..<end])
            self.finish(emit)
            rest = rest[(end + 1)...]
        }
        self.take(rest)
    }

    /// Emits what is left at the end of the output, or so far.
    package mutating func finish(_ emit: (String) -> Void) {
        guard !self.pending.isEmpty || self.isCut else { return }
        if self.pending.last == 0x0D { self.pending.removeLast() }
        emit(String(decoding: self.pending, as: UTF8.self) + (self.isCut ? self.ellipsis : ""))
        self.pending.removeAll(keepingCapacity: true)
        self.isCut = false
    }

    private mutating func take(_ bytes: Slice<UnsafeRawBufferPointer>) {
        let room = self.limit - self.pending.count
        self.pending.append(contentsOf: bytes.prefix(room))
        if bytes.count > room { self.isCut = true }
    }
}
