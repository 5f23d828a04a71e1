/// The control groups that this process is in, of either version: what a container or a service manager lets it have.
package struct Cgroup: Sendable {
    private let root: String
    /// Path of its group by controller; the one hierarchy of version 2 has no name.
    private let paths: [String: String]

    /// - Parameters:
    ///   - root: Where the hierarchies are mounted.
    ///   - membership: What `/proc/self/cgroup` says; see cgroups(7).
    package init(root: String = "/sys/fs/cgroup", membership: String? = KernelFile.text("/proc/self/cgroup")) {
        self.root = root
        var paths: [String: String] = [:]
        for line in (membership ?? "").split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(controller)] = String(fields[2])
            }
        }
        self.paths = paths
    }

    /// A file of the process's own group; nil where the system does not keep it.
    package func text(_ file: String, of controller: String? = nil) -> String? {
        self.texts(file, of: controller).first
    }

    /// A file of the process's own group and of those around it, innermost first: a limit of any of them holds.
    ///
    /// - Parameter controller: Of version 1; nil for a file of version 2.
    package func texts(_ file: String, of controller: String? = nil) -> [String] {
        guard let path = self.paths[controller ?? ""] else { return [] }
        let mount = controller.map { "\(self.root)/\($0)" } ?? self.root
        var steps = path.split(separator: "/").map(String.init)
        var texts: [String] = []
        while true {
            // A path that a container was not told the truth of leads nowhere; its own group is then the mount itself.
            if let text = KernelFile.text(([mount] + steps + [file]).joined(separator: "/")) { texts.append(text) }
            guard steps.popLast() != nil else { return texts }
        }
    }
}
