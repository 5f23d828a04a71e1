import CortexSpec

/// Hands out the devices of the machine, and lets those wait who ask for what others have.
actor DeviceDesk {
    nonisolated let inventory: DeviceInventory
    private var tables: [DeviceKind: DeviceTable] = [:]
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init(inventory: DeviceInventory) {
        self.inventory = inventory
    }

    /// Looks at the machine again; devices may come and go.
    /// - Returns: How many there are.
    func count(_ kind: DeviceKind) async -> Int {
        let devices = await self.inventory.devices(kind)
        self.tables[kind, default: DeviceTable(kind: kind)].devices = devices
        return devices.count
    }

    /// Takes devices, once there are enough.
    ///
    /// - Parameter onWait: Hears, in a sentence, what is waited for, and again where that changes.
    /// - Throws: ``DeviceError`` where the machine has fewer; `CancellationError` if the task is cancelled before.
    func take(
        _ count: Int,
        _ kind: DeviceKind,
        for owner: DeviceTable.Owner,
        onWait: @Sendable (String) async -> Void
    ) async throws -> DeviceGrant {
        if self.tables[kind] == nil { _ = await self.count(kind) }
        var told: String?
        while true {
            try Task.checkCancellation()
            switch self.tables[kind, default: DeviceTable(kind: kind)].request(count, by: owner) {
            case .granted(let devices): return DeviceGrant(kind: kind, devices: devices)
            case .tooFew:
                let found = await self.count(kind)
                guard found >= count else { throw DeviceError(kind: kind, wanted: count, found: found) }
            case .held(let reason):
                if told == reason {
                    await self.nextRelease()
                } else {
                    told = reason
                    await onWait(reason)
                }
            }
        }
    }

    /// Gives back what a version has, if it has any.
    func release(_ owner: DeviceTable.Owner) {
        for kind in self.tables.keys { self.tables[kind]?.release(owner) }
        self.wake()
    }

    private func nextRelease() async {
        await withTaskCancellationHandler {
            // Cancelled before this: the handler has found nobody to wake.
            guard !Task.isCancelled else { return }
            await withCheckedContinuation { self.waiters.append($0) }
        } onCancel: {
            // Bridges a synchronous callback.
            Task { await self.wake() }
        }
    }

    private func wake() {
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters { waiter.resume() }
    }
}

/// Fewer devices on the machine than were asked for.
struct DeviceError: Error, Hashable, CustomStringConvertible {
    var kind: DeviceKind
    var wanted: Int
    var found: Int

    var description: String { "compute.\(self.kind.field): \(self.message)" }

    /// What is wrong, without the field.
    var message: String {
        "asks for \(self.kind.amount(self.wanted)), and this machine has \(self.found == 0 ? "none" : "\(self.found)")"
    }

    /// What would be right.
    var allowed: String {
        guard self.found == 0 else { return "it may be at most \(self.found)" }
        switch self.kind {
        case .gpu:
            return
                "neither nvidia-smi nor /dev/nvidia0 shows one (CUDA_VISIBLE_DEVICES of the server counts): remove it, or "
                + "deploy to a machine that has one"
        case .inferentia: return "there is no /dev/neuron0: remove it, or deploy to a machine that has one"
        }
    }
}
