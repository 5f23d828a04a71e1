#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension APISpec {
    /// Canonical JSON of the whole spec: equal texts mean equal wishes.
    package var identity: String {
        get throws { try Self.canonicalJSON(self) }
    }

    /// Canonical JSON of what a worker is started from: where it changes, workers are replaced.
    ///
    /// Networking, autoscaling, the update strategy and readiness are not in it: they take effect without a restart.
    package var workerIdentity: String {
        get throws {
            let wish = WorkerWish(
                kind: self.kind,
                predictor: self.predictor,
                compute: self.compute,
                monitoring: self.monitoring
            )
            return try Self.canonicalJSON(wish)
        }
    }

    private struct WorkerWish: Encodable {
        var kind: APIKind
        var predictor: PredictorSpec
        var compute: ComputeSpec
        var monitoring: MonitoringSpec?
    }

    fileprivate static func canonicalJSON(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if let exact = CodingUserInfoKey.exactNumbers { encoder.userInfo[exact] = true }
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

extension ResourceSpec {
    /// Canonical JSON of the whole spec: equal texts mean equal wishes.
    package var identity: String {
        get throws { try APISpec.canonicalJSON(self) }
    }
}
