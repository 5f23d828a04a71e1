import HTTPTypes
import Hummingbird

/// `POST /v1/gateway/reports`: what the gateways of other machines bear.
struct GatewayRoutes: Sendable {
    let receive: @Sendable (GatewayReport) async -> Void

    var routes: [OperatorRoute] {
        [
            OperatorRoute(
                method: .post,
                path: "/v1/gateway/reports",
                id: "reportLoad",
                summary: "tell what a gateway bears, and that requests wait for a sleeping API",
                body: .json("GatewayReport"),
                answers: [
                    RouteAnswer(status: .noContent, summary: "it is noted", content: .none),
                    .refusal(.badRequest, "the body is not what this route takes"),
                    .refusal(.contentTooLarge, "the body is too large"),
                ],
                isForMachines: true
            ) { request, context in
                await self.receive(try await request.decode(as: GatewayReport.self, context: context))
                return Response(status: .noContent)
            }
        ]
    }
}
