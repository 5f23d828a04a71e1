import CortexControlPlane

extension ModelObservations {
    /// Takes in what another replica of the same API tells.
    mutating func add(_ other: ModelObservations) {
        for seen in other.versions {
            if let place = self.versions.firstIndex(where: { $0.name == seen.name && $0.version == seen.version }) {
                self.versions[place].add(seen)
            } else {
                self.versions.append(seen)
            }
        }
        self.troubles += other.troubles.filter { !self.troubles.contains($0) }
    }
}

extension ModelObservation {
    /// What one replica knows all may know, and workers are counted in all of them; the slowest load is told.
    fileprivate mutating func add(_ other: ModelObservation) {
        self.isLatest = self.isLatest || other.isLatest
        self.modified = self.modified ?? other.modified
        self.size = self.size ?? other.size
        self.isOnDisk = self.isOnDisk || other.isOnDisk
        self.loadedBy += other.loadedBy
        self.loadSeconds = [self.loadSeconds, other.loadSeconds].compactMap(\.self).max()
        self.inputs = self.inputs ?? other.inputs
        self.outputs = self.outputs ?? other.outputs
        self.signatureKey = self.signatureKey ?? other.signatureKey
        self.error = self.error ?? other.error
    }
}
