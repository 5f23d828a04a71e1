/// Cuts a process's output into lines of at most 64 KiB; what is not UTF-8 is shown as U+FFFD.
struct LineSplitter {
    static let limit = 64 << 10

    private var pending: [UInt8] = []
    private var isCut = false

    mutating func append(_ bytes: UnsafeRawBufferPointer, _ emit: (String) -> Void) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            self.take(rest[..<end])
            self.finish(emit)
            rest = rest[(end + 1)...]
        }
        self.take(rest)
    }

    mutating func finish(_ emit: (String) -> Void) {
        guard !self.pending.isEmpty || self.isCut else { return }
        if self.pending.last == 0x0D { self.pending.removeLast() }
        emit(String(decoding: self.pending, as: UTF8.self) + (self.isCut ? " [cut]" : ""))
        self.pending.removeAll(keepingCapacity: true)
        self.isCut = false
    }

    private mutating func take(_ bytes: Slice<UnsafeRawBufferPointer>) {
        let room = Self.limit - self.pending.count
        self.pending.append(contentsOf: bytes.prefix(room))
        if bytes.count > room { self.isCut = true }
    }
}
