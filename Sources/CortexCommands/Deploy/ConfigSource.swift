import Foundation

/// A config file on this machine, read and not yet understood.
struct ConfigSource {
    /// More would not be a config file.
    private static let limit = 1 << 20

    let text: String
    /// Without its folder.
    let fileName: String
    /// The folder that it lies in, which is the project.
    let root: String

    /// - Parameters:
    ///   - path: The config file's path.
    ///   - verb: The command that reads it, for what to type instead.
    init(path config: String, verb: String) throws(CommandFailure) {
        let url = URL(filePath: config).standardizedFileURL
        let path = url.path(percentEncoded: false)
        self.fileName = url.lastPathComponent
        let root = url.deletingLastPathComponent().path(percentEncoded: false)
        self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CommandFailure(
                "there is no \(config)",
                hint: "name the config file (cortex \(verb) path/to/cortex.yaml), change to its folder, "
                    + "or begin with one: cortex init"
            )
        }
        guard !isFolder.boolValue else {
            throw CommandFailure("\(config) is a folder", hint: "name the config file in it, such as cortex.yaml")
        }
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw CommandFailure("cannot read \(config): \(error.localizedDescription)")
        }
        guard data.count <= Self.limit else {
            throw CommandFailure("\(config) is larger than 1 MiB; is it a config file?")
        }
        guard let text = String(data: data, encoding: .utf8) else { throw CommandFailure("\(config) is not UTF-8") }
        self.text = text
    }
}
