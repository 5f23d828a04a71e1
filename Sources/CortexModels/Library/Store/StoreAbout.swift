#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What a generation is, for whoever looks into the store.
///
/// Its file's time is when the generation was last needed.
struct StoreAbout: Codable {
    /// `s3://models/iris/, version 3`.
    var source: String
    var files: Int
    var bytes: Int64

    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
