/// What a user wants of one resource: one entry of `cortex.yaml`, of whatever kind.
package enum ResourceSpec: Hashable, Sendable {
    case api(APISpec)
    case splitter(TrafficSplitterSpec)

    package var name: APIName {
        switch self {
        case .api(let spec): spec.name
        case .splitter(let spec): spec.name
        }
    }

    package var kind: APIKind {
        switch self {
        case .api: .realtime
        case .splitter: .trafficSplitter
        }
    }

    package var networking: NetworkingSpec {
        switch self {
        case .api(let spec): spec.networking
        case .splitter(let spec): spec.networking
        }
    }

    /// Nil for what is no RealtimeAPI.
    package var api: APISpec? {
        guard case .api(let spec) = self else { return nil }
        return spec
    }

    /// Nil for what is no TrafficSplitter.
    package var splitter: TrafficSplitterSpec? {
        guard case .splitter(let spec) = self else { return nil }
        return spec
    }
}

extension ResourceSpec: Codable {
    private enum Key: String, CodingKey { case kind }

    /// What names no kind is of the first releases, which had one.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(.kind, or: APIKind.realtime) {
        case .realtime: self = .api(try APISpec(from: decoder))
        case .trafficSplitter: self = .splitter(try TrafficSplitterSpec(from: decoder))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .api(let spec): try spec.encode(to: encoder)
        case .splitter(let spec):
            try spec.encode(to: encoder)
            var fields = encoder.container(keyedBy: Key.self)
            try fields.encode(APIKind.trafficSplitter, forKey: .kind)
        }
    }
}
