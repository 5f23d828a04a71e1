import CortexKubernetes
import CortexSpec

/// Which objects there are, and what each was made from: what is there as it has to be need not be applied again.
struct AppliedObjects: Hashable, Sendable {
    private struct Key: Hashable {
        var plural: String
        var name: String
    }

    private var hashes: [APIName: [Key: String]] = [:]

    func has(_ item: ObjectMaker.Item) -> Bool {
        self.hashes[item.api]?[Key(plural: item.resource.plural, name: item.object.name)] == item.hash
    }

    mutating func note(_ item: ObjectMaker.Item) {
        self.hashes[item.api, default: [:]][Key(plural: item.resource.plural, name: item.object.name)] = item.hash
    }

    /// Takes note of an object that the cluster has; of what is no API's, nothing.
    mutating func note(_ resource: KubernetesResource, _ object: KubernetesObject) {
        guard let api = object.api, let hash = object.annotations[CortexNames.Annotation.applied] else { return }
        self.hashes[api, default: [:]][Key(plural: resource.plural, name: object.name)] = hash
    }

    /// An object is gone.
    mutating func forget(_ resource: KubernetesResource, _ name: String, of api: APIName) {
        self.hashes[api]?[Key(plural: resource.plural, name: name)] = nil
    }

    /// All that an API has is going with it.
    mutating func forget(_ api: APIName) {
        self.hashes[api] = nil
    }

    /// The objects of a kind that an API has, in no order.
    func names(_ resource: KubernetesResource, of api: APIName) -> [String] {
        (self.hashes[api] ?? [:]).keys.filter { $0.plural == resource.plural }.map(\.name)
    }

    /// Those that have any, in no order.
    var apis: [APIName] { Array(self.hashes.keys) }
}

extension KubernetesObject {
    /// Of which API or splitter it is.
    var api: APIName? { self.labels[CortexNames.Label.api].flatMap(APIName.init) }
}
