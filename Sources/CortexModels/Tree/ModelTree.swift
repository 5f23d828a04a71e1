/// What a listing means as one model.
package struct ModelTree: Hashable, Sendable {
    /// The versions that can be served.
    package var versions: [ModelVersion: VersionTree]
    /// What is wrong with the others: one sentence each (`version 2 has no saved_model.pb`).
    package var broken: [ModelVersion: String]
    /// Names beside the versions that do not belong there: refused at deploy, without effect on what is served.
    package var strays: [String]
    /// What lies beside the versions and could not be read (``StoredObject/flaw``), a sentence each: refused at deploy,
    /// shown, without effect on what is served.
    package var flaws: [String]
    /// Why nothing here can be served; nil where ``versions`` has something.
    package var problem: String?
    /// What a user should know though the model is served.
    package var warnings: [String]

    package init(
        versions: [ModelVersion: VersionTree] = [:],
        broken: [ModelVersion: String] = [:],
        strays: [String] = [],
        flaws: [String] = [],
        problem: String? = nil,
        warnings: [String] = []
    ) {
        self.versions = versions
        self.broken = broken
        self.strays = strays
        self.flaws = flaws
        self.problem = problem
        self.warnings = warnings
    }
}
