import CortexSpec
import CortexTelemetry
import NIOCore

/// What all connections of one event loop share: nothing in it is ever seen by another thread.
final class LoopContext {
    let eventLoop: any EventLoop
    let configuration: GatewayConfiguration
    let bodies: CollectedBody.Place
    let places: ConnectionPlaces
    /// For answers that wait for their readers.
    let memory: ByteBudget
    private(set) var routes = RouteTable() { didSet { self.routeChanges += 1 } }
    /// How often one of them was.
    private(set) var routeChanges = 0
    var clock = WallClock()
    var ids = RequestIDGenerator()
    /// Whether every deployed API has its route: before that, an unknown path may yet become known.
    var isLoaded = false
    var isDraining = false
    private(set) var counters: [APIName: APICounters] = [:]
    /// Of what splitters led to their APIs, by splitter.
    private(set) var splits: [APIName: SplitCounters] = [:]
    /// Of requests that are for no API, such as one for a path that is not there.
    private(set) var unrouted = APICounters()
    private(set) var connections: [ObjectIdentifier: any ClientConnection] = [:]
    private var lastNumber: UInt64
    private let accessLog: LogSink
    private var pendingLog = ByteBuffer()
    private var isFlushScheduled = false
    /// How many of them are not of this server's workers.
    private var clients = 0
    private var emptied: (which: Connections, promise: EventLoopPromise<Void>)?
    /// Requests that the end of the server cut off.
    private(set) var cut = 0

    /// - Parameters:
    ///   - index: Which of the event loops this is: the upper bits of every request's number.
    ///   - memory: Shared by all event loops, as `places` is; nil for a loop that is the only one.
    init(
        eventLoop: any EventLoop,
        index: Int,
        configuration: GatewayConfiguration,
        budget: ByteBudget,
        memory: ByteBudget? = nil,
        places: ConnectionPlaces? = nil,
        accessLog: LogSink
    ) {
        self.eventLoop = eventLoop
        self.configuration = configuration
        self.bodies = CollectedBody.Place(configuration, budget: budget)
        self.memory = memory ?? ByteBudget(bytes: configuration.answerMemory)
        self.places = places ?? ConnectionPlaces(limit: configuration.maximumConnections, logger: nil)
        self.accessLog = accessLog
        self.lastNumber = UInt64(index) << 48
    }

    /// Why the server as a whole is not ready, whatever its APIs are.
    var obstacle: String? {
        if self.isDraining { return "the server is shutting down" }
        return self.isLoaded ? nil : "the server is starting"
    }

    func nextNumber() -> UInt64 {
        self.lastNumber += 1
        return self.lastNumber
    }

    /// - Parameter route: Nil where there is no such API any more; what was counted of it goes with it.
    func set(_ route: Route?, of api: APIName) {
        if let route {
            self.routes.put(route)
            if self.counters[api] == nil { self.counters[api] = APICounters() }
        } else {
            self.routes.remove(api)
            self.counters[api] = nil
            self.splits[api] = nil
        }
    }

    // MARK: Counting

    /// - Parameter api: Nil for a request that is for none.
    func count(_ api: APIName?, _ change: (inout APICounters) -> Void) {
        guard let api else { return change(&self.unrouted) }
        // One that was deleted meanwhile is not begun again.
        guard let index = self.counters.index(forKey: api) else { return }
        change(&self.counters.values[index])
    }

    /// - Parameters:
    ///   - api: That the splitter led a request to.
    ///   - asCopy: Whether it was a copy, for a shadow.
    func count(_ api: APIName, ledBy splitter: APIName, asCopy: Bool, _ change: (inout APICounters) -> Void) {
        guard self.counters[splitter] != nil else { return }
        self.splits[splitter, default: SplitCounters()].count(api, asCopy: asCopy, change)
    }

    // MARK: The access log

    /// Lines are collected and handed on together: at once when there is much, after a moment when there is little.
    func log(_ record: AccessRecord) {
        record.write(into: &self.pendingLog, timestamp: self.clock.timestamp())
        if self.pendingLog.readableBytes > 64 << 10 {
            self.flushLog()
        } else if !self.isFlushScheduled {
            self.isFlushScheduled = true
            self.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(50)) { self.flushLog() }
        }
    }

    func flushLog() {
        self.isFlushScheduled = false
        guard self.pendingLog.readableBytes > 0 else { return }
        self.accessLog.append(self.pendingLog)
        self.pendingLog.clear()
    }

    // MARK: Connections

    /// Which connections are meant.
    enum Connections {
        case ofClients
        /// Those of this server's own workers too.
        case all
    }

    func opened(_ connection: any ClientConnection) {
        self.connections[ObjectIdentifier(connection)] = connection
        if !connection.isOfWorker { self.clients += 1 }
    }

    func closed(_ connection: any ClientConnection) {
        guard self.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        if !connection.isOfWorker { self.clients -= 1 }
        self.tellEmptied()
    }

    private func tellEmptied() {
        guard let emptied = self.emptied else { return }
        switch emptied.which {
        case .ofClients where self.clients == 0, .all where self.connections.isEmpty:
            self.emptied = nil
            emptied.promise.succeed()
        case .ofClients, .all: break
        }
    }

    /// Answers what is in flight with an error, since nobody waits for it any longer.
    func cutOff() {
        self.isDraining = true
        for connection in self.connections.values {
            self.cut += connection.openRequests
            connection.cutOff()
        }
        self.flushLog()
    }

    func closeNow() {
        for connection in self.connections.values { connection.closeNow() }
    }

    /// Closes each connection once it has nothing in flight; the future succeeds when none is left.
    func closeConnections(_ which: Connections) -> EventLoopFuture<Void> {
        let promise = self.eventLoop.makePromise(of: Void.self)
        if let former = self.emptied?.promise { promise.futureResult.cascade(to: former) }
        self.emptied = (which, promise)
        for connection in self.connections.values where which == .all || !connection.isOfWorker {
            connection.closeWhenIdle()
        }
        self.tellEmptied()
        return promise.futureResult
    }
}
