/// Which environments the deployed APIs need, by the names that the provider gave them.
package struct EnvironmentUses: Hashable, Sendable {
    /// Of what is wanted, and of what serves until that is live.
    package var current: Set<String>
    /// Of the last few deployments that were live.
    package var history: Set<String>

    package init(current: Set<String> = [], history: Set<String> = []) {
        self.current = current
        self.history = history
    }
}
