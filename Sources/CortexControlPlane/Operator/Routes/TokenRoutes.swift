import CortexSpec
import HTTPTypes
import Hummingbird

/// `/v1/tokens`: who may use the operator.
struct TokenRoutes: Sendable {
    let tokens: any AccessTokens

    /// What `POST /v1/tokens` takes.
    private struct NewToken: Decodable {
        var name: String
    }

    /// What it answers: the only time that the secret is told.
    private struct IssuedToken: Encodable {
        var name: String
        var token: String
    }

    var routes: [OperatorRoute] { [self.list, self.create, self.revoke] }

    private var list: OperatorRoute {
        OperatorRoute(
            method: .get,
            path: "/v1/tokens",
            id: "listTokens",
            summary: "all tokens by name, without their secrets",
            answers: [RouteAnswer(status: .ok, summary: "the tokens", content: .list("Token"))]
        ) { _, _ in
            try Response.json(try await self.tokens.all())
        }
    }

    private var create: OperatorRoute {
        OperatorRoute(
            method: .post,
            path: "/v1/tokens",
            id: "createToken",
            summary: "make a token",
            body: .json("NewToken"),
            answers: [
                RouteAnswer(status: .created, summary: "the token, told this once", content: .json("TokenSecret")),
                .refusal(.badRequest, "the body is not what this route takes"),
                .refusal(.conflict, "a token of that name is in force"),
                .refusal(.contentTooLarge, "the body is too large"),
            ]
        ) { request, context in
            let name = try await request.decode(as: NewToken.self, context: context).name
            guard TokenRecord.isLegal(name) else { throw OperatorError.notATokenName(String(name.prefix(100))) }
            guard name != TokenSecret.machines, let secret = try await self.tokens.issue(name) else {
                throw OperatorError.tokenExists(name)
            }
            return try Response.json(IssuedToken(name: name, token: secret), status: .created)
        }
    }

    private var revoke: OperatorRoute {
        OperatorRoute(
            method: .delete,
            path: "/v1/tokens/{name}",
            id: "revokeToken",
            summary: "end a token",
            parameters: [.tokenName],
            answers: [
                RouteAnswer(status: .noContent, summary: "it has ended", content: .none),
                .refusal(.notFound, "no token of that name is in force"),
                .refusal(.conflict, "it is the token of the server's own machine"),
            ]
        ) { _, context in
            let name = try context.parameters.require("name")
            // Without it the machine's own command line is locked out until the server starts anew.
            guard name != TokenStore.localName else { throw OperatorError.localToken }
            guard try await self.tokens.revoke(name) else {
                throw OperatorError.noSuchToken(String(name.prefix(100)))
            }
            return Response(status: .noContent)
        }
    }
}
