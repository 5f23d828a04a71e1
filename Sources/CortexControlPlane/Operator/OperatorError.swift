import CortexSpec
import HTTPTypes
import Hummingbird
import NIOCore

/// Why the operator refuses a request; its status, code and hint are decided here and nowhere else.
enum OperatorError: Error, Hashable {
    case foreignHost(String)
    case unauthorized
    case noSuchRoute(String)
    case methodNotAllowed(String, allowed: [String])
    case noSuchToken(String)
    case tokenExists(String)
    case localToken
    case notATokenName(String)
    case updating(String)
    case noSuchDeployment(String)
    case nothingToRollBack(String)
    case projectPruned(String)
    /// - Parameter splitters: That lead requests to it.
    case inUse(String, splitters: [String])
    /// - Parameter instead: Commands that may be meant.
    case wrongKind(String, instead: [String])
    case targetMissing(String)
    case noSuchAPI(name: String, deployed: [String])
    case malformed(String)
    case bodyTooLarge(limit: Int)
    case notAHash(String)
    case projectNotStored(String)
    case noSuchProject(String)
    case projectRefused(String)
    case projectStorage(String)
    case starting
    case shuttingDown
    case diskFull
}

extension HTTPResponse.Status {
    static let insufficientStorage = Self(code: 507, reasonPhrase: "Insufficient Storage")
}

extension OperatorError {
    var status: HTTPResponse.Status {
        switch self {
        case .foreignHost: .misdirectedRequest
        case .unauthorized: .unauthorized
        case .noSuchRoute, .noSuchAPI, .noSuchToken, .noSuchDeployment, .noSuchProject: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .malformed, .notAHash, .notATokenName: .badRequest
        case .bodyTooLarge: .contentTooLarge
        case .projectNotStored, .tokenExists, .localToken, .updating, .nothingToRollBack, .projectPruned,
            .inUse, .wrongKind, .targetMissing:
            .conflict
        case .projectRefused: .unprocessableContent
        case .projectStorage: .badGateway
        case .starting, .shuttingDown: .serviceUnavailable
        case .diskFull: .insufficientStorage
        }
    }

    var code: String {
        switch self {
        case .foreignHost: "FOREIGN_HOST"
        case .unauthorized: "UNAUTHORIZED"
        case .noSuchRoute: "NOT_FOUND"
        case .methodNotAllowed: "METHOD_NOT_ALLOWED"
        case .noSuchAPI: "API_NOT_FOUND"
        case .noSuchToken: "TOKEN_NOT_FOUND"
        case .tokenExists: "TOKEN_EXISTS"
        case .localToken: "LOCAL_TOKEN"
        case .notATokenName: "MALFORMED_NAME"
        case .updating: "UPDATING"
        case .noSuchDeployment: "DEPLOYMENT_NOT_FOUND"
        case .nothingToRollBack: "NOTHING_TO_ROLL_BACK"
        case .projectPruned: "PROJECT_PRUNED"
        case .inUse: "IN_USE"
        case .wrongKind: "WRONG_KIND"
        case .targetMissing: "TARGET_NOT_DEPLOYED"
        case .malformed: "MALFORMED_REQUEST"
        case .bodyTooLarge: "BODY_TOO_LARGE"
        case .notAHash: "MALFORMED_HASH"
        case .projectNotStored, .noSuchProject: "PROJECT_NOT_STORED"
        case .projectRefused: "PROJECT_REFUSED"
        case .projectStorage: "PROJECT_STORE_FAILED"
        case .starting: "STARTING"
        case .shuttingDown: "SHUTTING_DOWN"
        case .diskFull: "DISK_FULL"
        }
    }

    var message: String {
        switch self {
        case .foreignHost: "the operator answers only requests to this machine's loopback names"
        case .unauthorized: "a valid bearer token is required"
        case .noSuchRoute(let route): "there is no \(route)"
        case .methodNotAllowed(let route, _): "there is no \(route)"
        case .noSuchAPI(let name, _): "\(name) is not deployed"
        case .noSuchToken(let name): "no token \(name) is in force"
        case .tokenExists(let name): "a token \(name) is in force already"
        case .localToken: "the token \(TokenStore.localName) is this machine's own and cannot be revoked"
        case .notATokenName(let name): "\(name) is not a token's name; allowed are 1 to 64 of A-Z a-z 0-9 . _ -"
        case .updating(let reason), .noSuchDeployment(let reason), .nothingToRollBack(let reason),
            .projectPruned(let reason):
            reason
        case .inUse(let reason, _), .wrongKind(let reason, _), .targetMissing(let reason): reason
        case .malformed(let reason): reason
        case .bodyTooLarge(let limit): "the body is larger than \(limit) bytes"
        case .notAHash(let text): "\(text) is not a project hash; allowed are 64 lower-case hex digits"
        case .projectNotStored(let hash), .noSuchProject(let hash): "no project \(hash) is stored"
        case .projectRefused(let reason), .projectStorage(let reason): reason
        case .starting: "the server is still starting"
        case .shuttingDown: "the server is shutting down"
        case .diskFull: "the disk is full: the server could not keep what this changes, and has changed nothing"
        }
    }

    var hint: String? {
        switch self {
        case .foreignHost: "use http://localhost or http://127.0.0.1"
        case .unauthorized: "send `Authorization: Bearer <token>`; this machine's is in CORTEX_HOME/tokens/local.token"
        case .noSuchAPI(_, let deployed) where deployed.isEmpty: "no APIs are deployed"
        case .noSuchAPI(let name, let deployed):
            (Suggestion.nearest(to: name, among: deployed).map { "did you mean \($0)? " } ?? "")
                + "deployed are \(deployed.prefix(10).joined(separator: ", "))\(deployed.count > 10 ? ", …" : "")"
        case .projectNotStored(let hash), .noSuchProject(let hash): "send it first: PUT /v1/projects/\(hash)"
        case .methodNotAllowed(_, let allowed): "allowed are \(allowed.joined(separator: ", "))"
        case .noSuchToken: "see GET /v1/tokens"
        case .tokenExists: "choose another name, or revoke it first"
        case .localToken: "delete CORTEX_HOME/tokens/local.token and restart the server to have a new one"
        case .shuttingDown: "nothing is changed any more; try again once it has been started again"
        case .diskFull: "`cortex prune` removes what no API needs from CORTEX_HOME; or make room otherwise"
        case .projectPruned:
            "`cortex prune` keeps the last \(StateStore.keptProjects) projects of an API; deploy this one again"
        case .noSuchDeployment: "see `cortex get API`, or GET /v1/apis/{name}/deployments"
        case .inUse(_, let splitters):
            "deploy \(splitters.count == 1 ? "it" : "them") without this API first, or delete "
                + (splitters.count == 1 ? "it" : "them")
                + ": \(splitters.map { "cortex delete \($0)" }.joined(separator: ", "))"
        case .wrongKind(_, let commands): "its APIs have: \(commands.joined(separator: ", "))"
        case .notATokenName, .targetMissing, .updating, .nothingToRollBack: nil
        case .noSuchRoute, .malformed, .bodyTooLarge, .notAHash, .projectRefused, .projectStorage, .starting: nil
        }
    }

    var headers: HTTPFields {
        switch self {
        case .unauthorized: [.wwwAuthenticate: "Bearer"]
        case .starting, .shuttingDown: [.retryAfter: "1"]
        case .methodNotAllowed(_, let allowed): [.allow: allowed.joined(separator: ", ")]
        default: [:]
        }
    }
}
