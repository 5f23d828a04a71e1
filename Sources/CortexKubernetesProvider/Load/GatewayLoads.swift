import CortexControlPlane
import CortexSpec

/// What the gateways bear, put together from what each tells; knows no clock.
struct GatewayLoads: Sendable {
    /// How long what a gateway told is taken for true.
    static let validity: Duration = .seconds(5)

    private struct Gateway {
        var heardAt: Duration
        var apis: [String: GatewayReport.Load]
    }

    /// Counters of an API, of all gateways there were.
    private struct Totals {
        var received: UInt64 = 0
        var code2xx = 0
        var code4xx = 0
        var code5xx = 0
        var milliseconds = 0.0
    }

    private var gateways: [String: Gateway] = [:]
    private var totals: [String: Totals] = [:]

    /// - Parameter now: On a steady clock.
    /// - Returns: The APIs for which requests wait.
    mutating func take(_ report: GatewayReport, now: Duration) -> [APIName] {
        let before = self.gateways[report.gateway]?.apis ?? [:]
        var all = before
        for (api, load) in report.apis {
            let last = before[api] ?? GatewayReport.Load()
            var totals = self.totals[api] ?? Totals()
            // A report may come late, after one that was made later.
            if load.received >= last.received {
                totals.received += load.received - last.received
                totals.code2xx += max(0, load.code2xx - last.code2xx)
                totals.code4xx += max(0, load.code4xx - last.code4xx)
                totals.code5xx += max(0, load.code5xx - last.code5xx)
                totals.milliseconds += max(0, load.totalMilliseconds - last.totalMilliseconds)
                all[api] = load
            }
            self.totals[api] = totals
        }
        // What is not told of has nothing in flight.
        for api in all.keys where report.apis[api] == nil {
            all[api]?.inFlight = 0
            all[api]?.waiting = 0
        }
        self.gateways[report.gateway] = Gateway(heardAt: now, apis: all)
        return report.apis.filter { $0.value.waiting > 0 }.keys.compactMap(APIName.init).sorted()
    }

    /// Takes it that gateways which have not been heard of have nothing in flight; their counters stay in the sums.
    mutating func expire(now: Duration) {
        // One that only slept goes on counting from where it was.
        self.gateways = self.gateways.filter { now - $0.value.heardAt <= .seconds(3600) }
        for (name, gateway) in self.gateways where now - gateway.heardAt > Self.validity {
            for api in gateway.apis.keys {
                self.gateways[name]?.apis[api]?.inFlight = 0
                self.gateways[name]?.apis[api]?.waiting = 0
            }
        }
    }

    /// - Parameter api: Or a splitter.
    mutating func forget(_ api: APIName) {
        func isOf(_ key: String) -> Bool { key == api.description || key.hasPrefix("\(api)/") }
        self.totals = self.totals.filter { !isOf($0.key) }
        for (name, gateway) in self.gateways {
            self.gateways[name]?.apis = gateway.apis.filter { !isOf($0.key) }
        }
    }

    func inFlight(of api: APIName) -> Int {
        self.gateways.values.reduce(0) { $0 + ($1.apis[api.description]?.inFlight ?? 0) }
    }

    func received(of api: APIName) -> UInt64 { self.totals[api.description]?.received ?? 0 }

    func statistics(of api: APIName) -> RequestStatistics { self.statistics(api.description) }

    /// Of what a splitter has led to an API.
    func statistics(of splitter: APIName, _ target: TrafficSplitterSpec.Target) -> RequestStatistics {
        self.statistics(GatewayReport.key(splitter, target.name, isShadow: target.shadow))
    }

    private func statistics(_ key: String) -> RequestStatistics {
        guard let totals = self.totals[key] else { return RequestStatistics() }
        let answered = totals.code2xx + totals.code4xx + totals.code5xx
        return RequestStatistics(
            code2xx: totals.code2xx,
            code4xx: totals.code4xx,
            code5xx: totals.code5xx,
            averageMilliseconds: answered > 0 ? totals.milliseconds / Double(answered) : nil
        )
    }
}
