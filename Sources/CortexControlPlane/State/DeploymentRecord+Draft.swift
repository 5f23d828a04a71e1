package import Foundation

extension DeploymentRecord {
    /// The deployment that comes of a draft; nothing is known of its end yet.
    /// - Parameters:
    ///   - lastID: Of the newest deployment; nil where there is none.
    ///   - projectDirectory: See ``Deployment/projectDirectory``; nil where the project is not of this machine.
    package init(
        _ draft: DeploymentDraft,
        version: Int,
        after lastID: String?,
        projectDirectory: String?,
        at now: Date
    ) {
        self.init(
            deployment: ResourceDeployment(
                id: DeploymentID.next(after: lastID, at: now),
                version: version,
                spec: draft.spec,
                project: draft.identity.project,
                projectDirectory: projectDirectory,
                generation: draft.generation
            ),
            identity: draft.identity,
            config: draft.config,
            configFile: draft.configFile,
            deployedBy: draft.deployedBy,
            createdAt: now,
            outcome: .pending
        )
    }
}
