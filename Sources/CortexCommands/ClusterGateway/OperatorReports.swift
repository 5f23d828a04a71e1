import AsyncHTTPClient
import CortexControlPlane
import CortexGateway
import CortexSpec
import CortexTelemetry
import Foundation
import Logging
import NIOCore
import NIOHTTP1

/// Tells the operator what this gateway bears, API by API: what replicas are scaled by, and sleeping APIs woken.
struct OperatorReports: Sendable {
    /// Of the operator, without a trailing slash.
    let url: String
    let token: String
    /// Names this start of this gateway.
    let name: String
    let gateway: Gateway
    let book: RouteBook
    /// An element when a request begins to wait; of several only the last.
    let waits: AsyncStream<Void>
    let logger: Logger

    /// While nothing happens.
    private static let longestSilence = Duration.seconds(5)
    private static let interval = Duration.seconds(1)

    /// Runs until the task is cancelled.
    func run() async {
        let ticks = self.ticks()
        var last: GatewayReport?
        var sent = ContinuousClock.now - Self.longestSilence
        var isHeard = true
        for await _ in ticks {
            let report = await self.report()
            let isBusy = report.apis.values.contains { $0.inFlight > 0 }
            guard isBusy || report != last || ContinuousClock.now - sent >= Self.longestSilence else { continue }
            do {
                try await self.send(report)
                if !isHeard { self.logger.notice("the operator hears this gateway again") }
                isHeard = true
                (last, sent) = (report, .now)
            } catch {
                // What it does not hear it is told again, at the next turn.
                if isHeard { self.logger.warning("the operator cannot be told", metadata: ["error": "\(error)"]) }
                isHeard = false
            }
        }
    }

    /// Each second, and when a request begins to wait.
    private func ticks() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let task = Task {
                await withDiscardingTaskGroup { group in
                    group.addTask {
                        for await _ in self.waits { continuation.yield() }
                    }
                    group.addTask {
                        while (try? await Task.sleep(for: Self.interval)) != nil { continuation.yield() }
                        continuation.finish()
                    }
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func report() async -> GatewayReport {
        let counters = await self.gateway.counters()
        var apis: [String: GatewayReport.Load] = [:]
        for load in await self.book.loads() where load.received > 0 {
            var told = GatewayReport.Load(counters[load.api] ?? APICounters())
            told.inFlight = load.inFlight
            told.waiting = load.waiting
            told.received = load.received
            apis["\(load.api)"] = told
        }
        for (splitter, counters) in await self.gateway.splitCounters() {
            for (target, counted) in counters.answered {
                apis[GatewayReport.key(splitter, target, isShadow: false)] = GatewayReport.Load(counted)
            }
            for (target, counted) in counters.copied {
                apis[GatewayReport.key(splitter, target, isShadow: true)] = GatewayReport.Load(counted)
            }
        }
        return GatewayReport(gateway: self.name, apis: apis)
    }

    private struct Refusal: Error, CustomStringConvertible {
        let status: UInt
        var description: String { "it answers \(self.status)" }
    }

    private func send(_ report: GatewayReport) async throws {
        var request = HTTPClientRequest(url: self.url + "/v1/gateway/reports")
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(self.token)")
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try StateJSON.encoder().encode(report)))
        let response = try await OperatorClient.http.execute(request, timeout: .seconds(2))
        guard (200..<300).contains(response.status.code) else { throw Refusal(status: response.status.code) }
    }
}

extension GatewayReport.Load {
    fileprivate init(_ counted: APICounters) {
        self.init(
            received: counted.predictions.count(in: 100..<600),
            code2xx: Int(counted.predictions.count(in: 200..<300)),
            code4xx: Int(counted.predictions.count(in: 400..<500)),
            code5xx: Int(counted.predictions.count(in: 500..<600)),
            totalMilliseconds: Double(counted.duration.sum) / 1e6
        )
    }
}
