import AsyncHTTPClient
package import CortexSpec
import Foundation
package import Logging
import NIOCore
import NIOHTTP1

/// A small client of the Kubernetes API: what Cortex needs of it, and no more.
package final class KubernetesClient: Sendable {
    package let configuration: KubernetesConfiguration
    let logger: Logger
    private let transport: Transport
    private let account: ServiceAccount

    /// Throws where the authority's file cannot be read.
    package init(configuration: KubernetesConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        self.transport = try Transport(
            certificateAuthorityFile: configuration.certificateAuthorityFile,
            logger: logger
        )
        self.account = ServiceAccount(file: configuration.tokenFile)
    }

    package var namespace: String { self.configuration.namespace }

    /// To be called last: nothing may be asked afterwards.
    package func shutdown() async {
        await self.transport.shutdown()
    }

    // MARK: Objects

    /// Nil where there is none.
    package func get(_ resource: KubernetesResource, _ name: String) async throws -> KubernetesObject? {
        do {
            return KubernetesObject(
                try await self.json(.GET, self.path(resource, name), "get \(resource.plural) \(name)")
            )
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    /// All objects of the namespace that have these labels, and the version of the list.
    package func list(
        _ resource: KubernetesResource,
        labels: [String: String] = [:]
    ) async throws -> (objects: [KubernetesObject], resourceVersion: String) {
        var objects: [KubernetesObject] = []
        var next = ""
        while true {
            var query = Self.selector(labels)
            query["limit"] = "500"
            if !next.isEmpty { query["continue"] = next }
            let answer = try await self.json(.GET, self.path(resource), query: query, "list \(resource.plural)")
            // Lists leave out what is the same in each.
            for item in answer["items"]?.array ?? [] {
                var object = KubernetesObject(item)
                object["apiVersion"] = .string(resource.apiVersion)
                object["kind"] = .string(resource.kind)
                objects.append(object)
            }
            next = answer["metadata"]?["continue"]?.string ?? ""
            if next.isEmpty { return (objects, answer["metadata"]?["resourceVersion"]?.string ?? "") }
        }
    }

    /// Throws a ``KubernetesError`` that `isConflict` where there is one of that name.
    @discardableResult
    package func create(_ resource: KubernetesResource, _ object: KubernetesObject) async throws -> KubernetesObject {
        KubernetesObject(
            try await self.json(
                .POST,
                self.path(resource),
                body: object.json,
                "create \(resource.plural) \(object.name)"
            )
        )
    }

    /// Writes a whole object; throws one that `isConflict` where it is not of the version that is there.
    package func replace(_ resource: KubernetesResource, _ object: KubernetesObject) async throws -> KubernetesObject {
        let path = self.path(resource, object.name)
        return KubernetesObject(
            try await self.json(.PUT, path, body: object.json, "update \(resource.plural) \(object.name)")
        )
    }

    /// Server-side apply: makes the fields that `object` names so, and takes away those that `manager` named before.
    @discardableResult
    package func apply(
        _ resource: KubernetesResource,
        _ object: KubernetesObject,
        manager: String = CortexNames.operatorManager
    ) async throws -> KubernetesObject {
        KubernetesObject(
            try await self.json(
                .PATCH,
                self.path(resource, object.name),
                query: ["fieldManager": manager, "force": "true"],
                body: object.json,
                type: "application/apply-patch+yaml",
                "apply \(resource.plural) \(object.name)"
            )
        )
    }

    /// Changes the members that `patch` has, and takes away those that are null in it.
    @discardableResult
    package func patch(
        _ resource: KubernetesResource,
        _ name: String,
        subresource: String? = nil,
        _ patch: JSONValue
    ) async throws -> KubernetesObject {
        KubernetesObject(
            try await self.json(
                .PATCH,
                resource.path(namespace: self.namespace, name: name, subresource: subresource),
                body: patch,
                type: "application/merge-patch+json",
                "patch \(resource.plural) \(name)"
            )
        )
    }

    /// Sets how many replicas a workload has.
    package func scale(_ resource: KubernetesResource, _ name: String, to replicas: Int) async throws {
        try await self.patch(resource, name, subresource: "scale", ["spec": ["replicas": .int(Int64(replicas))]])
    }

    /// Its owner's ends take what it owns along; false where there is none of that name.
    @discardableResult
    package func delete(_ resource: KubernetesResource, _ name: String) async throws -> Bool {
        do {
            let options: JSONValue = ["kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"]
            _ = try await self.json(
                .DELETE,
                self.path(resource, name),
                body: options,
                "delete \(resource.plural) \(name)"
            )
            return true
        } catch let error as KubernetesError where error.isNotFound {
            return false
        }
    }

    /// The newest of some versions of a group that the server has; nil where it has none of them.
    ///
    /// - Parameter versions: The newest first.
    package func discover(group: String, preferring versions: [String]) async throws -> String? {
        do {
            let answer = try await self.json(.GET, "/apis/\(group)", "discover \(group)")
            let served = Set((answer["versions"]?.array ?? []).compactMap { $0["version"]?.string })
            return versions.first { served.contains($0) }
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    // MARK: Requests

    func path(_ resource: KubernetesResource, _ name: String? = nil) -> String {
        resource.path(namespace: self.namespace, name: name)
    }

    static func selector(_ labels: [String: String]) -> [String: String] {
        labels.isEmpty
            ? [:] : ["labelSelector": labels.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: ",")]
    }

    private func json(
        _ method: HTTPMethod,
        _ path: String,
        query: [String: String] = [:],
        body: JSONValue? = nil,
        type: String = "application/json",
        _ request: String
    ) async throws -> JSONValue {
        let response = try await self.execute(
            method,
            path,
            query: query,
            body: body.map { (try KubernetesJSON.encoder.encode($0), type) },
            deadline: .now() + .seconds(30),
            request
        )
        let bytes = try await response.body.collect(upTo: 256 << 20)
        return try KubernetesJSON.value(of: bytes.readableBytesView)
    }

    /// The head of an answer that is a success; its body is still to come.
    func execute(
        _ method: HTTPMethod,
        _ path: String,
        query: [String: String] = [:],
        body: (Data, type: String)? = nil,
        deadline: NIODeadline,
        _ name: String
    ) async throws -> HTTPClientResponse {
        var url = self.configuration.server + path
        if !query.isEmpty {
            let pairs = query.sorted { $0.key < $1.key }.map { "\($0)=\(Self.escaped($1))" }
            url += "?" + pairs.joined(separator: "&")
        }
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers.add(name: "Accept", value: "application/json")
        if let body {
            request.headers.add(name: "Content-Type", value: body.type)
            request.body = .bytes(ByteBuffer(bytes: body.0))
        }
        var isSecondTry = false
        while true {
            if let token = self.account.token() {
                request.headers.replaceOrAdd(name: "Authorization", value: "Bearer \(token)")
            }
            let response = try await self.transport.client().execute(request, deadline: deadline)
            if (200..<300).contains(response.status.code) { return response }
            if response.status == .unauthorized, !isSecondTry {
                // It was replaced since it was read.
                self.account.forget()
                isSecondTry = true
                _ = try await response.body.collect(upTo: 1 << 20)
                continue
            }
            let bytes = try await response.body.collect(upTo: 1 << 20)
            let answer = try? KubernetesJSON.value(of: bytes.readableBytesView)
            throw KubernetesError(status: Int(response.status.code), body: answer, request: name)
        }
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~")))
            ?? ""
    }
}
