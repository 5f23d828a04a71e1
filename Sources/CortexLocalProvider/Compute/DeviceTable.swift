import CortexSpec

/// Who has which device of one kind, decided in values.
///
/// No two APIs have one in common, nor have two replicas of a version. Versions of one API may: a new one that finds too
/// few free takes those of the version that it is to replace, since that one goes only when the new one is ready.
struct DeviceTable {
    struct Owner: Hashable, Sendable {
        /// The deployment's id.
        var deployment: String
        /// Its number among those of the deployment.
        var replica: Int
        var api: APIName
    }

    enum Decision: Hashable {
        case granted([String])
        /// They are another API's, or several others'.
        case held(reason: String)
        /// There are not as many.
        case tooFew
    }

    let kind: DeviceKind
    /// In their order.
    var devices: [String] = []
    private var holdings: [Owner: [String]] = [:]

    init(kind: DeviceKind) {
        self.kind = kind
    }

    mutating func request(_ count: Int, by owner: Owner) -> Decision {
        guard count <= self.devices.count else { return .tooFew }
        let others = self.holdings.filter { holder, _ in
            holder.api != owner.api || holder.deployment == owner.deployment && holder.replica != owner.replica
        }
        let own = self.holdings.filter { $0.key.api == owner.api && $0.key.deployment != owner.deployment }
        let foreign = Set(others.values.joined())
        let shared = Set(own.values.joined())
        let free = self.devices.filter { !foreign.contains($0) && !shared.contains($0) }
        let usable = free + self.devices.filter { shared.contains($0) && !foreign.contains($0) }
        guard usable.count >= count else {
            return .held(reason: self.reason(count, usable: usable.count, others))
        }
        let granted = self.devices.filter(Set(usable.prefix(count)).contains)
        self.holdings[owner] = granted
        return .granted(granted)
    }

    mutating func release(_ owner: Owner) {
        self.holdings[owner] = nil
    }

    private func reason(_ count: Int, usable: Int, _ others: [Owner: [String]]) -> String {
        var holders: [String: [String]] = [:]
        for (owner, devices) in others { holders[owner.api.description, default: []] += devices }
        let texts = holders.sorted { $0.key < $1.key }.map { api, devices in
            let names = self.devices.filter(Set(devices).contains).map(self.kind.name)
            return "\(names.joined(separator: ", ")) by \(api)"
        }
        let can = usable == 0 ? "none is free" : "\(usable) of \(self.devices.count) can be had"
        return "it needs \(self.kind.amount(count)) (compute.\(self.kind.field)) and \(can): held are "
            + "\(texts.joined(separator: "; ")); it starts when they are free"
    }
}
