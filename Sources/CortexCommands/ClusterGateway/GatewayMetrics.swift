import CortexGateway
import CortexLocalProvider
import CortexTelemetry

/// What `/metrics` of a cluster's gateway says.
enum GatewayMetrics {
    static func text(_ gateway: Gateway, _ book: RouteBook) async -> String {
        var text = PrometheusText()
        LocalMetrics.write(await gateway.counters(), unrouted: await gateway.unroutedCounters(), into: &text)
        LocalMetrics.write(await gateway.splitCounters(), into: &text)
        let loads = await book.loads()
        text.family("cortex_in_flight_requests", .gauge, "Requests queued or running.")
        for load in loads { text.sample("cortex_in_flight_requests", [("api", "\(load.api)")], load.inFlight) }
        text.family("cortex_queued_requests", .gauge, "Requests that wait for a replica.")
        for load in loads { text.sample("cortex_queued_requests", [("api", "\(load.api)")], load.waiting) }
        text.family("cortex_gateway_replicas", .gauge, "Replicas that this gateway leads requests to.")
        for load in loads { text.sample("cortex_gateway_replicas", [("api", "\(load.api)")], load.replicas) }
        text.family("cortex_gateway_retries_total", .counter, "Requests that came back from a replica, not started.")
        for load in loads { text.sample("cortex_gateway_retries_total", [("api", "\(load.api)")], load.retries) }
        text.family("cortex_build_info", .gauge, "The release of this gateway.")
        text.sample("cortex_build_info", [("version", CortexVersion.current)], 1)
        return text.text
    }
}
