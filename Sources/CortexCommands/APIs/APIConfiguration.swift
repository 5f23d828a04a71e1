import CortexControlPlane
import CortexSpec
import Foundation

/// The configuration of an API with its defaults, as a page shows it.
enum APIConfiguration {
    /// Indented YAML under a heading.
    static func text(of spec: APISpec) throws -> String {
        let data = try StateJSON.encoder().encode(spec)
        let value = try StateJSON.decoder().decode(JSONValue.self, from: data)
        return "configuration\n" + YAMLText.render(.array([value]), first: ["name", "kind"], indent: 2)
    }
}
