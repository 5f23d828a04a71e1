package import CortexSpec

/// One accepted deploy of one resource.
package struct ResourceDeployment<Spec: Hashable & Sendable & Codable>: Hashable, Sendable, Codable {
    /// Unique, and in the order of creation as text too.
    package var id: String
    /// Counts the deploys of one resource from 1; the version that a worker is told and logs show.
    package var version: Int
    package var spec: Spec
    /// SHA-256 of the project, in hex: its name in the project store.
    package var project: String
    /// The user's own folder on this machine, in which relative model paths are looked for first; nil where the deploy
    /// came from elsewhere.
    package var projectDirectory: String?
    /// Another number asks for new workers although nothing else has changed (`cortex refresh`).
    package var generation: Int
    /// Whether it has answered requests before, under an earlier server: then what is wrong with a model now harms that
    /// model only.
    package var wasLive = false
    /// How many replicas the API had when it was scaled last; nil where it never was.
    package var replicas: Int?

    package init(
        id: String,
        version: Int,
        spec: Spec,
        project: String,
        projectDirectory: String? = nil,
        generation: Int = 0
    ) {
        self.id = id
        self.version = version
        self.spec = spec
        self.project = project
        self.projectDirectory = projectDirectory
        self.generation = generation
    }

    /// The same deploy, of what its spec is made of.
    func of<Part>(_ part: Part) -> ResourceDeployment<Part> {
        var deployment = ResourceDeployment<Part>(
            id: self.id,
            version: self.version,
            spec: part,
            project: self.project,
            projectDirectory: self.projectDirectory,
            generation: self.generation
        )
        deployment.wasLive = self.wasLive
        deployment.replicas = self.replicas
        return deployment
    }
}

/// One accepted deploy of one RealtimeAPI.
package typealias Deployment = ResourceDeployment<APISpec>

/// One accepted deploy of one TrafficSplitter.
package typealias SplitterDeployment = ResourceDeployment<TrafficSplitterSpec>

extension ResourceDeployment<APISpec> {
    /// Whether the workers of `other` could as well serve this: nothing that they were started from differs.
    package func hasSameWorkers(as other: Deployment) -> Bool {
        guard
            self.project == other.project, self.generation == other.generation,
            self.projectDirectory == other.projectDirectory || !self.spec.hasRelativeModels,
            let mine = try? self.spec.workerIdentity, let theirs = try? other.spec.workerIdentity
        else { return false }
        return mine == theirs
    }
}
