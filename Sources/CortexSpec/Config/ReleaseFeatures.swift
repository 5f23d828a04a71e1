/// What `cortex.yaml` may ask for that this release knows and does not do yet.
///
/// Each such key is read and checked in full all the same; its feature's line in `pending` is the only thing that
/// keeps it from being used.
package struct ReleaseFeatures: Hashable, Sendable {
    package enum Feature: Hashable, Sendable, CaseIterable {
        case tensorflowPredictor
        case onnxPredictor
        case modelPath
        case models
        case signatureKey
        case serverSideBatching
        case trafficSplitter
        case requestTimeout
        case maxBodySize
        case cors
        case apiKeys
        case readinessSample
        case severalReplicas
        case scaleToZero
        case shadow
        case gpu
        case inferentia
    }

    package var pending: Set<Feature>

    package init(pending: Set<Feature>) {
        self.pending = pending
    }

    /// What this release leaves for later.
    ///
    /// To switch a feature on, delete its line.
    package static let current = ReleaseFeatures(pending: [
        .serverSideBatching
    ])

    /// Everything that is known, for tests of what is still to come.
    package static let all = ReleaseFeatures(pending: [])
}
