/// What files take of the disk, where a file may have several names.
///
/// uv gives most files of an environment a second name in its cache, by a hard link: such a file is on disk once, and
/// goes with its last name.
struct DiskUse: Hashable, Sendable {
    /// A file with more than one name.
    struct LinkedFile: Hashable, Sendable {
        /// The file's number, which its names share.
        var id: UInt64
        /// How many names it has, here and elsewhere.
        var links: Int
        var bytes: Int64
    }

    /// Bytes of folders, and of files with one name.
    var own: Int64 = 0
    /// Once for each name.
    var linked: [LinkedFile] = []
}

/// Counts each file once, and tells what the end of some of its names frees.
struct DiskLedger: Sendable {
    /// What a removal comes to.
    struct Freed: Hashable, Sendable {
        /// Bytes that the disk has back.
        var bytes: Int64 = 0
        /// Bytes that none of the folders in the ledger holds any more, but something else does: uv's cache.
        var elsewhere: Int64 = 0

        static func += (sum: inout Freed, more: Freed) {
            sum.bytes += more.bytes
            sum.elsewhere += more.elsewhere
        }
    }

    private struct Names {
        /// In the folders that are left.
        var left: Int
        /// In all folders, as they were counted.
        var counted: Int
    }

    private var names: [UInt64: Names] = [:]
    /// Bytes of all folders that are left, each file once.
    private(set) var total: Int64 = 0

    init(_ folders: some Sequence<DiskUse>) {
        for folder in folders {
            self.total += folder.own
            for file in folder.linked {
                self.total += self.names[file.id] == nil ? file.bytes : 0
                self.names[file.id, default: Names(left: 0, counted: 0)].left += 1
                self.names[file.id]?.counted += 1
            }
        }
    }

    /// Takes out a folder that was counted.
    mutating func remove(_ folder: DiskUse) -> Freed {
        var freed = Freed(bytes: folder.own)
        for file in folder.linked {
            guard var names = self.names[file.id] else { continue }
            names.left -= 1
            self.names[file.id] = names.left == 0 ? nil : names
            guard names.left == 0 else { continue }
            self.total -= file.bytes
            if names.counted == file.links { freed.bytes += file.bytes } else { freed.elsewhere += file.bytes }
        }
        self.total -= folder.own
        return freed
    }
}
