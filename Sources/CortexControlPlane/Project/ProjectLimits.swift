/// The most that a project may hold; the packer and the reader of archives both enforce it.
package struct ProjectLimits: Hashable, Sendable {
    /// Bytes of one file.
    package var fileBytes: Int64
    /// Bytes of all files together.
    package var totalBytes: Int64
    /// Number of files; bounds the memory that an archive of empty files could take.
    package var files: Int

    package init(fileBytes: Int64, totalBytes: Int64, files: Int) {
        self.fileBytes = fileBytes
        self.totalBytes = totalBytes
        self.files = files
    }

    /// 512 MiB for one file and for all, as in Cortex 0.22, and 200,000 files.
    package static let standard = ProjectLimits(fileBytes: 512 << 20, totalBytes: 512 << 20, files: 200_000)
}
