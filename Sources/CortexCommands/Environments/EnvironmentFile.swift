import CortexControlPlane
import Foundation

/// The environments that the command line knows beside `local`, kept in `CORTEX_HOME/cli.json`.
///
/// It holds tokens, and so is its owner's only.
struct EnvironmentFile: Hashable, Sendable {
    /// The version of the format that this program knows; what it writes is of the first that can say it.
    static let version = 2

    /// An operator elsewhere.
    struct Entry: Hashable, Sendable {
        var name: EnvironmentName
        var place: OperatorPlace
        var token: String
    }

    /// In the order of their names.
    private(set) var entries: [Entry] = []
    /// The environment of commands that name none.
    private(set) var defaultName = EnvironmentName.local
    private let path: String

    /// Reads the file; one that is not there is as good as an empty one.
    init(home: CortexHome) throws(CommandFailure) {
        self.path = "\(home.path)/cli.json"
        guard FileManager.default.fileExists(atPath: self.path) else { return }
        let stored: Stored
        do {
            stored = try JSONDecoder().decode(Stored.self, from: Data(contentsOf: URL(filePath: self.path)))
        } catch {
            throw self.unreadable("it is damaged")
        }
        guard stored.version <= Self.version else {
            throw CommandFailure(
                "\(self.path) was written by a newer cortex (format \(stored.version), this one knows \(Self.version))",
                hint: "use the newer cortex, or set CORTEX_HOME to another folder"
            )
        }
        do throws(CommandFailure) {
            for entry in stored.environments {
                self.set(
                    Entry(
                        name: try EnvironmentName(entry.name),
                        place: try entry.place(),
                        token: entry.token
                    )
                )
            }
            self.defaultName = try EnvironmentName(stored.defaultEnvironment)
        } catch {
            throw self.unreadable(error.message)
        }
        // One that is gone, by hand perhaps, leaves `local`.
        if self.entry(self.defaultName) == nil { self.defaultName = .local }
    }

    /// All names, `local` first.
    var names: [EnvironmentName] { [.local] + self.entries.map(\.name) }

    /// Nil for `local` and for what is not configured.
    func entry(_ name: EnvironmentName) -> Entry? { self.entries.first { $0.name == name } }

    /// Adds an environment, or replaces the one of its name.
    mutating func set(_ entry: Entry) {
        self.entries.removeAll { $0.name == entry.name }
        self.entries.append(entry)
        self.entries.sort { $0.name.description < $1.name.description }
    }

    /// - Returns: Whether it was there.
    mutating func remove(_ name: EnvironmentName) -> Bool {
        guard self.entry(name) != nil else { return false }
        self.entries.removeAll { $0.name == name }
        if self.defaultName == name { self.defaultName = .local }
        return true
    }

    mutating func setDefault(_ name: EnvironmentName) throws(CommandFailure) {
        guard self.names.contains(name) else { throw self.unknown(name) }
        self.defaultName = name
    }

    /// The failure of a command that names an environment that is not there.
    func unknown(_ name: EnvironmentName) -> CommandFailure {
        CommandFailure(
            "there is no environment \(name); there are \(self.names.map(\.description).joined(separator: ", "))",
            hint: "add it: cortex env configure \(name) --operator-endpoint URL --token-file FILE",
            exitCode: 2
        )
    }

    /// Puts the file in place as a whole: who reads it meanwhile sees the old one or the new one.
    func save() throws {
        let folder = URL(filePath: self.path).deletingLastPathComponent().path(percentEncoded: false)
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(
            Stored(
                // A release that knows no clusters would take such a file for damaged.
                version: self.entries.contains { $0.place.cluster != nil } ? 2 : 1,
                defaultEnvironment: "\(self.defaultName)",
                environments: self.entries.map(Stored.Entry.init)
            )
        )
        let temporary = "\(self.path).\(getpid())"
        // Private from its first byte on; a leftover of a process that had our number is replaced.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw self.cannotWrite() }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: data)
            try file.synchronize()
        } catch {
            unlink(temporary)
            throw CommandFailure("cannot write \(self.path): \(error.localizedDescription)")
        }
        guard rename(temporary, self.path) == 0 else {
            defer { unlink(temporary) }
            throw self.cannotWrite()
        }
    }

    private func cannotWrite() -> CommandFailure {
        CommandFailure("cannot write \(self.path): \(String(cString: strerror(errno)))")
    }

    private func unreadable(_ reason: String) -> CommandFailure {
        CommandFailure(
            "cannot read \(self.path): \(reason)",
            hint: "mend it, or remove it and configure your environments again: cortex env configure"
        )
    }

    /// The file's own shape.
    private struct Stored: Codable {
        struct Entry: Codable {
            var name: String
            var operatorEndpoint: String?
            var kubernetes: ClusterLocation?
            var token: String

            init(_ entry: EnvironmentFile.Entry) {
                self.name = "\(entry.name)"
                self.token = entry.token
                switch entry.place {
                case .endpoint(let endpoint): self.operatorEndpoint = "\(endpoint)"
                case .cluster(let location): self.kubernetes = location
                }
            }

            func place() throws(CommandFailure) -> OperatorPlace {
                if let kubernetes { return .cluster(kubernetes) }
                guard let operatorEndpoint else {
                    throw CommandFailure("the environment \(self.name) has neither operator_endpoint nor kubernetes")
                }
                return .endpoint(try OperatorEndpoint(operatorEndpoint))
            }

            private enum CodingKeys: String, CodingKey {
                case name, token, kubernetes
                case operatorEndpoint = "operator_endpoint"
            }
        }

        var version: Int
        var defaultEnvironment: String
        var environments: [Entry]

        private enum CodingKeys: String, CodingKey {
            case version, environments
            case defaultEnvironment = "default_environment"
        }

        init(version: Int, defaultEnvironment: String, environments: [Entry]) {
            self.version = version
            self.defaultEnvironment = defaultEnvironment
            self.environments = environments
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.version = try container.decode(Int.self, forKey: .version)
            // A newer file may have any shape: its version is all that is read of it.
            guard self.version <= EnvironmentFile.version else {
                self.defaultEnvironment = "local"
                self.environments = []
                return
            }
            self.defaultEnvironment = try container.decodeIfPresent(String.self, forKey: .defaultEnvironment) ?? "local"
            self.environments = try container.decodeIfPresent([Entry].self, forKey: .environments) ?? []
        }
    }
}
