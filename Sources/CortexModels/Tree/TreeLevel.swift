/// One folder of a listing: its files, and what each of its folders holds at any depth.
struct TreeLevel {
    /// Everything below the folder, in the order of listings.
    let objects: [StoredObject]
    /// The folder itself: empty, or ends in `/`.
    let prefix: String
    private(set) var files: [StoredObject] = []
    /// By their names.
    private(set) var folders: [String: [StoredObject]] = [:]
    /// Of files and folders, without repetition, in the order of listings.
    private(set) var names: [String] = []

    /// - Parameter objects: In the order of listings; their paths begin with `prefix`.
    init(_ objects: [StoredObject], below prefix: String) {
        self.objects = objects
        self.prefix = prefix
        let depth = prefix.utf8.count
        var seen: Set<String> = []
        for object in objects {
            let name = object.firstName(after: depth)
            if depth + name.utf8.count == object.path.utf8.count {
                self.files.append(object)
            } else {
                self.folders[name, default: []].append(object)
            }
            if seen.insert(name).inserted { self.names.append(name) }
        }
    }

    /// Why something in it, at any depth, is never fetched; nil where all of it can be.
    var flaw: String? {
        let flaws = self.objects.compactMap(\.flaw)
        return flaws.count > 1 ? flaws.first.map { "\($0) (and \(flaws.count - 1) more)" } : flaws.first
    }

    var isEmpty: Bool { self.objects.isEmpty }

    /// The names of the files.
    var fileNames: [String] { self.files.map { $0.firstName(after: self.prefix.utf8.count) } }

    /// A folder in this one; empty where it is not there.
    func folder(_ name: String) -> TreeLevel {
        TreeLevel(self.folders[name] ?? [], below: "\(self.prefix)\(name)/")
    }
}

extension StoredObject {
    /// The name in the path that begins after `depth` bytes.
    func firstName(after depth: Int) -> String {
        String(Substring(self.path.utf8.dropFirst(depth).prefix { $0 != UInt8(ascii: "/") }))
    }
}
