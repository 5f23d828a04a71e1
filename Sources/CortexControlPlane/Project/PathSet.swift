/// The paths of an archive's files, none of which may leave the folder it is unpacked into or stand in another's way.
struct PathSet {
    /// As Linux has it for a path and for a part of one.
    private static let longestPath = 4095
    private static let longestPart = 255

    private var files: Set<String> = []
    private var folders: Set<String> = []

    /// Takes a path, or says what is wrong with it.
    mutating func insert(_ path: String) throws(ProjectError) {
        guard Self.isPlain(path) else {
            throw .malformedArchive("the path \(Self.shown(path)) is not a plain relative path")
        }
        guard !self.folders.contains(path), self.files.insert(path).inserted else {
            throw .malformedArchive("the path \(Self.shown(path)) is there twice")
        }
        // From the innermost folder outwards, up to one that is known, and with it all that are around it.
        var parent = path[...]
        while let slash = parent.utf8.lastIndex(of: UInt8(ascii: "/")) {
            parent = parent[..<slash]
            let folder = String(parent)
            guard !self.files.contains(folder) else {
                throw .malformedArchive("\(Self.shown(folder)) is both a file and a folder")
            }
            guard self.folders.insert(folder).inserted else { return }
        }
    }

    private static func isPlain(_ path: String) -> Bool {
        guard (1...self.longestPath).contains(path.utf8.count), !path.utf8.contains(0) else { return false }
        return path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            (1...self.longestPart).contains(part.count) && !part.elementsEqual(".".utf8)
                && !part.elementsEqual("..".utf8)
        }
    }

    /// Quoted and cut, as it comes from outside and goes into logs.
    private static func shown(_ path: String) -> String {
        String(path.prefix(200)).debugDescription
    }
}
