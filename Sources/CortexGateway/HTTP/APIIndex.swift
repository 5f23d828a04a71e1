import CortexTelemetry
import NIOCore

/// The list of APIs at `GET /`.
///
/// Names and endpoints are checked by the spec, and need no escaping.
struct APIIndex {
    let routes: [Route]

    var json: String {
        let apis = self.routes.map { route in
            // Of an API that needs a key, its name is all that strangers learn.
            guard route.keys == nil else { return #"{"name": "\#(route.api)", "needs_key": true}"# }
            return #"{"name": "\#(route.api)", "endpoint": "\#(route.endpoint)"}"#
        }
        return #"{"apis": [\#(apis.joined(separator: ", "))]}"#
    }

    var html: String {
        let items = self.routes.map { route in
            guard route.keys == nil else { return "<li>\(route.api) (needs a key)</li>" }
            return "<li><a href=\"\(route.endpoint)\">\(route.api)</a></li>"
        }
        let list = items.isEmpty ? "<p>No API is deployed.</p>" : "<ul>\(items.joined())</ul>"
        return "<!doctype html><meta charset=\"utf-8\"><title>Cortex</title><h1>APIs</h1>\(list)\n"
    }
}
