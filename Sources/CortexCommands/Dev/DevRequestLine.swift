import Foundation

/// A line of the access log, as far as it is shown.
struct DevRequestLine: Decodable, Sendable {
    var request_id: String
    var api: String?
    var method: String
    var path: String
    var status: Int
    var total_ms: Double
    var error_code: String?

    init?(_ json: String) {
        guard let line = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else { return nil }
        self = line
    }
}
