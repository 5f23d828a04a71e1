import NIOCore

/// Which replica gets a request: of two that are drawn, the one that has less to do.
///
/// That is nearly as good as to look at all of them, and keeps gateways that know nothing of each other from all choosing the
/// same one.
struct ReplicaChoice {
    private var state = UInt64.random(in: 1 ... .max)

    /// Xorshift (Marsaglia, 2003): drawn for each request, and nobody's secret.
    private mutating func draw(below count: Int) -> Int {
        self.state ^= self.state << 13
        self.state ^= self.state >> 7
        self.state ^= self.state << 17
        return Int(self.state % UInt64(count))
    }

    /// Takes a place with a replica.
    /// - Parameters:
    ///   - excluded: Those that have failed this request already.
    ///   - limit: What each may have at once.
    ///   - onAvoided: Called with the index of one that was drawn and is avoided: it may be time to try it out.
    /// - Returns: Its index; nil where none has room.
    mutating func take(
        of replicas: [ReplicaEndpoint],
        except excluded: [ReplicaEndpoint],
        limit: Int,
        onAvoided: (Int) -> Void = { _ in }
    ) -> Int? {
        if replicas.count == 1 {
            return !excluded.contains { $0 === replicas[0] } && replicas[0].enter(limit: limit) ? 0 : nil
        }
        if replicas.count > 1 {
            let first = self.draw(below: replicas.count)
            let second = (first + 1 + self.draw(below: replicas.count - 1)) % replicas.count
            let isInOrder = replicas[first].inFlight <= replicas[second].inFlight
            for index in isInOrder ? [first, second] : [second, first] {
                let replica = replicas[index]
                if replica.isAvoided {
                    onAvoided(index)
                } else if !excluded.contains(where: { $0 === replica }), replica.enter(limit: limit) {
                    return index
                }
            }
        }
        // Neither was to be had: all are looked at, and those last of which nothing good was heard.
        let order = replicas.indices.filter { index in !excluded.contains { $0 === replicas[index] } }
            .map { (index: $0, isAvoided: replicas[$0].isAvoided, load: replicas[$0].inFlight) }
            .sorted { ($0.isAvoided ? 1 : 0, $0.load) < ($1.isAvoided ? 1 : 0, $1.load) }
        return order.first { replicas[$0.index].enter(limit: limit) }?.index
    }
}
