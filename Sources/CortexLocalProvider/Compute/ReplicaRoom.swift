import CortexSpec
import Synchronization

/// Who runs how many replicas on this machine, and who may run more.
final class ReplicaRoom: Sendable {
    private let table: Mutex<ReplicaTable>

    init(_ capacity: MachineCapacity) {
        self.table = Mutex(ReplicaTable(capacity: capacity))
    }

    /// Takes room for replicas, in place of what the API had.
    func take(_ count: Int, of compute: ComputeSpec, for api: APIName) -> ReplicaTable.Grant {
        self.table.withLock { $0.take(count, of: compute, for: api) }
    }

    func release(_ api: APIName) {
        self.table.withLock { $0.release(api) }
    }
}

/// How many replicas a machine bears, by what they ask of it (`compute.cpu`, `compute.mem`), decided in values.
///
/// Every API gets its first one, whatever it asks for: alone it may use all that there is. Further ones have to fit beside
/// what is there. The replicas that an update adds for a while (`max_surge`) are not counted, as the old ones are about
/// to go; what nothing is asked of is not counted either.
struct ReplicaTable {
    struct Grant: Hashable {
        var count: Int
        /// Why it is not as many as were wanted, in a sentence.
        var shortage: String?
    }

    private struct Claim {
        var compute: ComputeSpec
        var count: Int
        var asksForAnything: Bool { self.count > 0 && (self.compute.cpu != nil || self.compute.mem != nil) }
    }

    let capacity: MachineCapacity
    private var claims: [APIName: Claim] = [:]

    init(capacity: MachineCapacity) {
        self.capacity = capacity
    }

    mutating func take(_ count: Int, of compute: ComputeSpec, for api: APIName) -> Grant {
        self.claims[api] = nil
        let cpu = self.room(
            for: compute.cpuQuantity?.millicores,
            of: Int64(self.capacity.processors) * 1000,
            taken: { $0.cpuQuantity?.millicores }
        )
        let memory = self.capacity.memory.flatMap { capacity in
            self.room(for: compute.memory?.bytes, of: capacity.bytes, taken: { $0.memory?.bytes })
        }
        let room = [cpu, memory].compactMap(\.self).min() ?? count
        let granted = min(count, max(room, 1))
        self.claims[api] = Claim(compute: compute, count: granted)
        guard granted < count else { return Grant(count: granted) }
        let asks: String
        if let cpu, cpu <= room {
            asks = "\(compute.cpu ?? "") CPU (compute.cpu), and the machine has \(self.capacity.processors)"
        } else {
            let has = (self.capacity.memory?.bytes ?? 0) >> 20
            asks = "\(compute.mem ?? "") of memory (compute.mem), and the machine has \(has) MiB"
        }
        let others = self.claims.filter { $0.key != api && $0.value.asksForAnything }.keys.sorted()
        let held = others.isEmpty ? "" : "; \(others.map { "\($0)" }.joined(separator: ", ")) hold part of it"
        return Grant(
            count: granted,
            shortage: "there is room for \(granted) of \(count) replicas: each asks for \(asks)\(held)"
        )
    }

    mutating func release(_ api: APIName) {
        self.claims[api] = nil
    }

    /// How many that ask for so much have room; nil where they ask for nothing.
    private func room(for share: Int64?, of whole: Int64, taken: (ComputeSpec) -> Int64?) -> Int? {
        guard let share, share > 0 else { return nil }
        let rest = self.claims.values.reduce(whole) { $0 - (taken($1.compute) ?? 0) * Int64($1.count) }
        return Int(max(0, rest) / share)
    }
}
