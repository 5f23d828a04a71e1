#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What `/proc/<pid>/stat` says of a process that matters here; see proc(5).
package struct ProcessStat: Hashable, Sendable {
    /// It has ended, or nothing keeps it from ending any more.
    package var isEnding: Bool
    /// It was stopped (`SIGSTOP`), or is held by a debugger: nothing in it runs.
    package var isStopped: Bool
    package var parent: Int32
    package var session: Int32

    /// Nil where the text is none of the kernel's.
    package init?(_ text: [UInt8]) {
        // The command stands in brackets and may hold anything, brackets and blanks included.
        guard let bracket = text.lastIndex(of: 0x29) else { return nil }
        let fields = text[(bracket + 1)...].split(separator: 0x20, maxSplits: 7)
        guard
            fields.count > 6, let state = fields[0].first, let flags: UInt32 = Self.number(fields[6]),
            let parent: Int32 = Self.number(fields[1]), let session: Int32 = Self.number(fields[3])
        else { return nil }
        // Z and X, or the kernel's PF_EXITING: what such a process had open is closed before it can be waited for.
        self.isEnding = state == 0x5A || state == 0x58 || flags & 0x4 != 0
        self.isStopped = state == 0x54 || state == 0x74  // T, t
        self.parent = parent
        self.session = session
    }

    /// Nil where there is no such process, and where the system has no `/proc`.
    package init?(of pid: Int32) {
        guard let text = KernelFile.bytes("/proc/\(pid)/stat") else { return nil }
        self.init(text)
    }

    /// All processes that this one can see, in no order; none where the system has no `/proc`.
    package static func allProcesses() -> [Int32] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var pids: [Int32] = []
        while let entry = readdir(folder) {
            let pid: Int32? = withUnsafeBytes(of: &entry.pointee.d_name) { Self.number($0.prefix { $0 != 0 }) }
            if let pid { pids.append(pid) }
        }
        return pids
    }

    /// A number in decimal digits, and nothing but that.
    private static func number<Number: FixedWidthInteger>(_ digits: some Collection<UInt8>) -> Number? {
        guard !digits.isEmpty else { return nil }
        var number: Number = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (tenfold, tooMuch) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tenfold.addingReportingOverflow(Number(digit - 0x30))
            guard !tooMuch, !overflow else { return nil }
            number = sum
        }
        return number
    }
}
