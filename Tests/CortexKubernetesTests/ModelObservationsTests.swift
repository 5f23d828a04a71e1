import CortexControlPlane
import Testing

@testable import CortexKubernetesProvider

struct ModelObservationsTests {
    private func version(
        _ version: String,
        loadedBy: Int = 0,
        seconds: Double? = nil,
        error: String? = nil
    ) -> ModelObservation {
        ModelObservation(
            name: "iris",
            version: version,
            isLatest: version == "2",
            modified: nil,
            size: 10,
            isOnDisk: true,
            loadedBy: loadedBy,
            loadSeconds: seconds,
            error: error
        )
    }

    @Test func `what replicas tell of the same version is one`() {
        var all = ModelObservations(versions: [self.version("1"), self.version("2", loadedBy: 1, seconds: 0.5)])
        all.add(ModelObservations(versions: [self.version("2", loadedBy: 2, seconds: 0.75), self.version("3")]))
        #expect(all.versions.map(\.version) == ["1", "2", "3"])
        #expect(all.versions.map(\.loadedBy) == [0, 3, 0])
        #expect(all.versions.map(\.loadSeconds) == [nil, 0.75, nil])
    }

    @Test func `what is wrong at one replica is told once`() {
        var all = ModelObservations(versions: [self.version("1")], troubles: ["s3://b cannot be reached"])
        all.add(
            ModelObservations(
                versions: [self.version("1", error: "it does not load")],
                troubles: ["s3://b cannot be reached", "s3://c refuses"]
            )
        )
        #expect(all.troubles == ["s3://b cannot be reached", "s3://c refuses"])
        #expect(all.versions.map(\.error) == ["it does not load"])
    }
}
