import Foundation

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Which worker processes this server started, on disk: a server that follows one that was killed ends what it left.
///
/// One empty file for each, named `<pid>-<start time>`, so that a process which got the same number later is left alone.
package struct WorkerLedger: Sendable {
    private let directory: String

    package init(directory: String) throws {
        self.directory = directory
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    package func started(_ pid: Int32) {
        guard let start = Self.startTime(of: pid) else { return }
        _ = FileManager.default.createFile(atPath: "\(self.directory)/\(pid)-\(start)", contents: nil)
    }

    package func ended(_ pid: Int32) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.directory)) ?? []
        for name in names where name.hasPrefix("\(pid)-") { unlinkFile("\(self.directory)/\(name)") }
    }

    /// Ends the workers, with all that they started, of a server that is no more.
    ///
    /// Call before any is started.
    package func endOrphans() { self.endAll() }

    /// Ends all workers that are written down, with the sessions that they lead.
    package func endAll() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.directory)) ?? []
        for name in names {
            let parts = name.split(separator: "-", maxSplits: 1)
            if parts.count == 2, let pid = Int32(parts[0]), pid > 1, Self.startTime(of: pid) == String(parts[1]) {
                WorkerSession.end(pid)
                kill(pid, SIGKILL)
            }
            unlinkFile("\(self.directory)/\(name)")
        }
    }

    /// When a process began, in the kernel's own count; nil where there is none of that number.
    private static func startTime(of pid: Int32) -> String? {
        #if os(Linux)
        // proc(5): field 22, counted behind the command, which is in brackets and may hold anything.
        guard
            let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let bracket = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: bracket)...].split(separator: " ")
        return fields.count > 19 ? String(fields[19]) : nil
        #else
        var info = proc_bsdinfo()
        let size = Int32(MemoryLayout<proc_bsdinfo>.size)
        guard proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, size) == size else { return nil }
        return "\(info.pbi_start_tvsec).\(info.pbi_start_tvusec)"
        #endif
    }
}
