import Foundation

/// A namespace of a cluster that the user's kubeconfig reaches.
struct ClusterLocation: Hashable, Sendable, Codable {
    /// The value of `KUBECONFIG`: absolute paths, `:` between them; nil for kubectl's own default.
    var kubeconfig: String?
    var context: String
    var namespace: String

    /// The same place, in words.
    var description: String { "namespace \(self.namespace), context \(self.context)" }

    /// How a user would begin a `kubectl` command that looks at it.
    var kubectl: String {
        let file = self.kubeconfig.map { "KUBECONFIG=\($0) " } ?? ""
        return "\(file)kubectl --context \(self.context) -n \(self.namespace)"
    }

    /// Whether both are one place; where kubectl finds its contexts does not matter as long as they have one name.
    func isSamePlace(as other: Self) -> Bool { self.context == other.context && self.namespace == other.namespace }

    /// The value that `KUBECONFIG` should have in any folder.
    static func absolute(kubeconfig text: String) -> String {
        text.split(separator: ":").map { URL(filePath: String($0)).standardizedFileURL.path(percentEncoded: false) }
            .joined(separator: ":")
    }
}
