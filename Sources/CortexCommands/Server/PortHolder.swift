import CortexServing
import Foundation

/// The process that listens on a port, for the message that the port is taken.
struct PortHolder: CustomStringConvertible {
    let pid: Int32
    /// The program's name.
    let name: String

    var description: String { "\(self.name) (pid \(self.pid))" }

    /// Nil where it cannot be seen, such as a process of another user.
    static func find(port: Int) -> PortHolder? {
        #if os(Linux)
        self.findInProc(port: port)
        #else
        self.findWithLsof(port: port)
        #endif
    }

    #if os(Linux)
    private static func findInProc(port: Int) -> PortHolder? {
        let sockets = Set(
            ["tcp", "tcp6"].flatMap { self.listeners(in: "/proc/net/\($0)", port: port) }.map { "socket:[\($0)]" }
        )
        guard !sockets.isEmpty, let processes = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else {
            return nil
        }
        for process in processes {
            guard
                let pid = Int32(process),
                let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
            else { continue }
            for descriptor in descriptors {
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(descriptor)")
                guard let target, sockets.contains(target) else { continue }
                let name = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
                return PortHolder(pid: pid, name: name?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "a process")
            }
        }
        return nil
    }

    /// Inodes of the sockets that listen on the port; see proc_net_tcp of the kernel's documentation.
    private static func listeners(in file: String, port: Int) -> [Substring] {
        // With thousands of connections the kernel gives it in many reads, of which Foundation takes the first only.
        guard let table = KernelFile.text(file) else { return [] }
        return table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard
                fields.count > 9, fields[3] == "0A",
                let text = fields[1].split(separator: ":").last, Int(text, radix: 16) == port
            else { return nil }
            return fields[9]
        }
    }
    #else
    private static func findWithLsof(port: Int) -> PortHolder? {
        let lsof = Process()
        lsof.executableURL = URL(filePath: "/usr/sbin/lsof")
        lsof.arguments = ["-nP", "-iTCP:\(port)", "-sTCP:LISTEN", "-Fpc"]
        let output = Pipe()
        lsof.standardOutput = output
        lsof.standardError = FileHandle.nullDevice
        guard (try? lsof.run()) != nil else { return nil }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        lsof.waitUntilExit()
        let lines = text.split(separator: "\n")
        guard
            let pid = lines.first(where: { $0.hasPrefix("p") }).flatMap({ Int32($0.dropFirst()) }),
            let name = lines.first(where: { $0.hasPrefix("c") })?.dropFirst()
        else { return nil }
        return PortHolder(pid: pid, name: String(name))
    }
    #endif
}
