import CortexControlPlane
import Foundation

/// The folder of the workers' Unix sockets: below `CORTEX_HOME`, or, where that path is too long for a socket's address
/// (108 bytes on Linux, 104 on macOS), a folder of its own in the system's temporary one.
struct SocketDirectory {
    let path: String
    private let isTemporary: Bool

    init(home: CortexHome) throws {
        let near = "\(home.run)/sockets"
        if near.utf8.count <= 80 {
            self.path = near
            self.isTemporary = false
            try? FileManager.default.removeItem(atPath: near)
        } else {
            let parent = FileManager.default.temporaryDirectory.path(percentEncoded: false)
            self.path = "\(parent)/cortex-\(String(UInt64.random(in: .min ... .max), radix: 36))"
            self.isTemporary = true
        }
        try FileManager.default.createDirectory(
            atPath: self.path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    func remove() {
        if self.isTemporary { try? FileManager.default.removeItem(atPath: self.path) }
    }
}
