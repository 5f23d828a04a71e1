import Foundation

/// When a process started, as its system counts: with the pid, the name of one process for good.
package struct ProcessStart: Hashable, Sendable, Codable {
    /// On Linux the boot and the clock ticks since it, elsewhere seconds and microseconds since 1970.
    private let text: String

    /// Nil where no such process can be seen, or only what its parent has not yet taken note of (a zombie).
    package init?(pid: Int32) {
        #if os(Linux)
        guard
            let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            // The second field is the program's name in parentheses and may itself hold any character.
            let afterName = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: afterName)...].split(separator: " ")
        // Field 22 of proc(5), where field 3 is the first after the name.
        guard fields.count > 19, fields[0] != "Z" else { return nil }
        let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        self.text = "\(boot?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "")/\(fields[19])"
        #else
        var info = kinfo_proc()
        var size = MemoryLayout<kinfo_proc>.size
        var name: [Int32] = [CTL_KERN, KERN_PROC, KERN_PROC_PID, pid]
        guard sysctl(&name, UInt32(name.count), &info, &size, nil, 0) == 0, size > 0 else { return nil }
        let started = info.kp_proc.p_starttime
        self.text = "\(started.tv_sec).\(started.tv_usec)"
        #endif
    }

    package init(from decoder: any Decoder) throws {
        self.text = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.text)
    }
}
