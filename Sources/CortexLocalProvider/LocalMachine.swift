package import CortexControlPlane
package import CortexGateway
package import CortexModels
package import CortexServing
package import Logging
package import NIOCore
import Synchronization

/// What the versions of all APIs on this machine share.
package final class LocalMachine: Sendable {
    let home: CortexHome
    /// The release of this server.
    let version: String
    let environment: [String: String]
    let gateway: Gateway
    let eventLoops: any EventLoopGroup
    let projects: ProjectStore
    let environments: EnvironmentBuilder
    let models: ModelLibrary
    let workerPackage: String
    /// Keeps it from being pruned by another server, of another release.
    private let workerPackageLease: FolderLease?
    let ledger: WorkerLedger
    let socketDirectory: String
    /// Where clients find the data port, such as `http://localhost:8888`.
    let baseURL: String
    /// Where workers find the data port.
    let workerAddress: WorkerAddress
    /// Whether the names of APIs lead workers there.
    let isChaining: Bool
    /// The names of APIs are resolved as all others are; what calls to them tell is told all the same.
    let hasNameService: Bool
    /// Gets what is written to the log of an API too.
    let logEcho: (@Sendable (ByteBuffer) -> Void)?
    let payloadLimits: PayloadLimits
    let logger: Logger
    let capacity = MachineCapacity.current()
    let kernelKills = KernelKills()
    let memory: MemoryWatch
    let devices: DeviceDesk
    let room: ReplicaRoom
    /// The most requests that one slot of a worker may hold at once.
    let handOverDepth: Int
    /// How long a request waits for a replica that has to be started for it.
    let wakeTimeout: Duration
    private let sockets = Atomic<Int>(0)
    private let samples = Atomic<Int>(0)

    /// - Parameters:
    ///   - environment: The server's own variables, from which the workers' are made.
    ///   - workerPackage: The unpacked Python sources of the worker.
    ///   - socketDirectory: Short, and readable by this user only.
    ///   - baseURL: Of the data port, without a trailing slash.
    ///   - workerAddress: Where workers find the data port.
    ///   - isChaining: Whether the names of APIs lead workers there.
    ///   - hasNameService: The names of APIs are resolved as all others are; what calls to them tell is told all the same.
    ///   - handOverDepth: The most requests that one slot of a worker may hold at once.
    ///   - wakeTimeout: How long a request waits for a replica that has to be started for it.
    ///   - logEcho: Gets what is written to the log of an API too, off the event loops; must not wait.
    package init(
        home: CortexHome,
        version: String,
        environment: [String: String],
        gateway: Gateway,
        projects: ProjectStore,
        environments: EnvironmentBuilder,
        models: ModelLibrary,
        workerPackage: String,
        ledger: WorkerLedger,
        socketDirectory: String,
        baseURL: String,
        workerAddress: WorkerAddress,
        isChaining: Bool,
        hasNameService: Bool = false,
        payloadLimits: PayloadLimits = PayloadLimits(),
        handOverDepth: Int,
        wakeTimeout: Duration,
        logEcho: (@Sendable (ByteBuffer) -> Void)? = nil,
        logger: Logger
    ) {
        self.home = home
        self.version = version
        self.environment = environment
        self.gateway = gateway
        self.eventLoops = gateway.group
        self.projects = projects
        self.environments = environments
        self.models = models
        self.workerPackage = workerPackage
        self.workerPackageLease = FolderLease(workerPackage)
        self.ledger = ledger
        self.socketDirectory = socketDirectory
        self.baseURL = baseURL
        self.workerAddress = workerAddress
        self.isChaining = isChaining
        self.hasNameService = hasNameService
        self.logEcho = logEcho
        self.payloadLimits = payloadLimits
        self.handOverDepth = handOverDepth
        self.wakeTimeout = wakeTimeout
        self.logger = logger
        self.memory = MemoryWatch(kernelKills: self.kernelKills)
        self.room = ReplicaRoom(self.capacity)
        self.devices = DeviceDesk(inventory: DeviceInventory(environment: environment))
    }

    func nextSocketPath() -> String {
        "\(self.socketDirectory)/\(self.sockets.add(1, ordering: .relaxed).newValue).sock"
    }

    /// For a request that is no client's: its count, and a number that none of a client's has.
    func nextSampleNumber() -> (request: UInt64, count: Int) {
        let count = self.samples.add(1, ordering: .relaxed).newValue
        return (1 << 63 | UInt64(count), count)
    }
}
