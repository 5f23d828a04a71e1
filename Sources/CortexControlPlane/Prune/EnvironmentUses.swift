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

    /// Those of both.
    package func union(_ other: EnvironmentUses) -> EnvironmentUses {
        EnvironmentUses(
            current: self.current.union(other.current),
            history: self.history.union(other.history)
        )
    }
}
