#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What a file's ending says of its content, for the `Content-Type` of a request.
package enum MediaType {
    /// JSON where there is no ending; `application/octet-stream` for one that is not known.
    package static func named(by path: String) -> String {
        switch URL(filePath: path).pathExtension.lowercased() {
        case "json", "": "application/json"
        case "txt": "text/plain"
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        default: "application/octet-stream"
        }
    }
}
