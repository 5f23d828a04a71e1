import CortexControlPlane
import CortexSpec
import Foundation

/// What `cortex get API` shows of one API.
struct APIPage {
    private let api: APIResponse
    private let now: Date

    init(_ api: APIResponse, now: Date = Date()) {
        self.api = api
        self.now = now
    }

    func render(bold: Bool, width: Int? = nil) throws -> String {
        var parts = [APITable([self.api], named: false, now: self.now).render(bold: bold, width: width)]
        if let reason = self.api.status.reason {
            parts.append("reason: \(FailureExcerpt.headline(of: reason))\nlogs: cortex logs \(self.api.spec.name)")
        }
        let endpoint = self.api.endpoint
        parts.append(
            """
            endpoint: \(endpoint)
            example curl: curl \(endpoint) -X POST -H "Content-Type: application/json" -d @sample.json
            """
        )
        if let models = self.api.models {
            parts.append(ModelTable(models, now: self.now).render(bold: bold, width: width))
        }
        if let troubles = self.api.modelTroubles { parts.append(troubles.joined(separator: "\n")) }
        parts.append(try APIConfiguration.text(of: self.api.spec))
        return parts.joined(separator: "\n\n")
    }
}
