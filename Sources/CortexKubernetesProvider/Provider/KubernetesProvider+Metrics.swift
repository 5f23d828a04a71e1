import CortexControlPlane
import CortexTelemetry

/// What `/metrics` of the operator says of its APIs; what requests are like, gateways and replicas tell themselves.
extension KubernetesProvider {
    package func metrics() -> String {
        let apis = self.apis.sorted { $0.key < $1.key }
        var text = PrometheusText()
        text.family("cortex_in_flight_requests", .gauge, "Requests that were taken in and not answered yet.")
        for (name, _) in apis {
            text.sample("cortex_in_flight_requests", [("api", "\(name)")], self.loads.inFlight(of: name))
        }
        text.family("cortex_replicas", .gauge, "Replicas by what can be said of them.")
        for (name, view) in apis {
            let counts = view.counts
            for (state, count) in [("ready", counts.ready), ("stale", counts.stale), ("failed", counts.failed)] {
                text.sample("cortex_replicas", [("api", "\(name)"), ("state", state)], count)
            }
        }
        return text.text
    }
}
