import CortexTelemetry
import NIOCore

/// The list of APIs at `GET /`.
///
/// Names and endpoints are checked by the spec, and need no escaping.
struct APIIndex {
    let routes: [Route]

    var json: String {
        let apis = self.routes.map { #"{"name": "\#($0.api)", "endpoint": "\#($0.endpoint)"}"# }
        return #"{"apis": [\#(apis.joined(separator: ", "))]}"#
    }

    var html: String {
        let items = self.routes.map { "<li><a href=\"\($0.endpoint)\">\($0.api)</a></li>" }
        let list = items.isEmpty ? "<p>No API is deployed.</p>" : "<ul>\(items.joined())</ul>"
        return "<!doctype html><meta charset=\"utf-8\"><title>Cortex</title><h1>APIs</h1>\(list)\n"
    }
}
