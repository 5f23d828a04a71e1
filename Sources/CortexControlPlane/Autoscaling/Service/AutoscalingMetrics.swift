import CortexSpec
import CortexTelemetry

/// What `/metrics` says of autoscaling.
package enum AutoscalingMetrics {
    package static func text(_ apis: [AutoscalingGauges]) -> String {
        var text = PrometheusText()
        text.family("cortex_requested_replicas", .gauge, "Replicas that are wanted.")
        for api in apis { text.sample("cortex_requested_replicas", [("api", "\(api.api)")], api.requested) }
        text.family("cortex_recommended_replicas", .gauge, "Replicas that the load asks for, before stabilisation.")
        for api in apis {
            guard let recommended = api.recommended else { continue }
            text.sample("cortex_recommended_replicas", [("api", "\(api.api)")], recommended)
        }
        text.family("cortex_window_in_flight_requests", .gauge, "Requests in flight, averaged over autoscaling.window.")
        for api in apis {
            guard let load = api.load else { continue }
            text.sample("cortex_window_in_flight_requests", [("api", "\(api.api)")], load)
        }
        text.family("cortex_scalings_total", .counter, "Changes of the number of replicas that is wanted.")
        for api in apis {
            for (direction, count) in [("up", api.changes.up), ("down", api.changes.down)] {
                text.sample("cortex_scalings_total", [("api", "\(api.api)"), ("direction", direction)], count)
            }
        }
        return text.text
    }
}
