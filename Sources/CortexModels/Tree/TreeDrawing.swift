/// Folders drawn as text.
///
/// ```
/// s3://bucket/iris/
/// ├── 1/
/// │   └── model.onnx
/// └── labels.txt
/// ```
enum TreeDrawing {
    /// What a folder holds, at most `limit` lines of it.
    ///
    /// - Parameters:
    ///   - root: What the first line calls the folder.
    ///   - objects: In the order of listings.
    static func found(_ root: String, _ objects: [StoredObject], limit: Int = 50) -> String {
        Self.draw(root, objects.map { $0.path.escaped }, limit: limit)
    }

    /// The layouts that a model of a kind may have, without and with versions.
    static func expected(_ root: String, _ kind: ModelKind) -> String {
        let files = kind.expectedFiles
        let versioned = files.map { "1/\($0)" } + ["2/…"]
        return Self.draw(root, files, limit: .max) + "\nor\n" + Self.draw(root, versioned, limit: .max)
    }

    /// - Parameter paths: Such that what lies in one folder stands together.
    private static func draw(_ root: String, _ paths: [String], limit: Int) -> String {
        var lines = Lines(limit: limit)
        lines.add(paths.map { $0.split(separator: "/") }[...], depth: 0, margin: "")
        var text = [root.escaped.hasSuffix("/") ? root.escaped : "\(root.escaped)/"] + lines.drawn
        if lines.left > 0 { text.append("… and \(lines.left) more") }
        return text.joined(separator: "\n")
    }

    /// The lines below the root, and how many there was no room for.
    private struct Lines {
        let limit: Int
        var drawn: [String] = []
        var left = 0

        /// Adds everything whose path has `depth` names in common.
        mutating func add(_ paths: ArraySlice<[Substring]>, depth: Int, margin: String) {
            var rest = paths
            while let name = rest.first?[depth] {
                let group = rest.prefix { $0[depth] == name }
                rest = rest[group.endIndex...]
                let isFolder = group.contains { $0.count > depth + 1 }
                if self.drawn.count < self.limit {
                    self.drawn.append(margin + (rest.isEmpty ? "└── " : "├── ") + name + (isFolder ? "/" : ""))
                } else {
                    self.left += 1
                }
                let below = group.filter { $0.count > depth + 1 }[...]
                self.add(below, depth: depth + 1, margin: margin + (rest.isEmpty ? "    " : "│   "))
            }
        }
    }
}

extension ModelKind {
    fileprivate var expectedFiles: [String] {
        switch self {
        case .python: ["(any files)"]
        case .tensorflow:
            ["saved_model.pb", "variables/variables.data-00000-of-00001", "variables/variables.index"]
        case .neuron: ["saved_model.pb"]
        case .onnx: ["model.onnx"]
        }
    }
}
