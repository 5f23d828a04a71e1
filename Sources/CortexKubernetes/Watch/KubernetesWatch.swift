import AsyncHTTPClient
import CortexSpec
import Foundation
import NIOCore
import NIOHTTP1

/// Follows the objects of a kind: lists them, and from there on hears of each change.
///
/// A list is made anew where the server has forgotten what came after the last (410), and after a connection was lost for
/// which it does not remember either. Between two tries it waits, up to ``longestPause``.
package struct KubernetesWatch: Sendable {
    /// After which the server ends a watch, and this side begins another: a connection that died in silence is noticed then.
    static let length: Duration = .seconds(60)
    static let longestPause: Duration = .seconds(10)

    private let client: KubernetesClient
    private let resource: KubernetesResource
    private let labels: [String: String]

    package init(_ client: KubernetesClient, _ resource: KubernetesResource, labels: [String: String] = [:]) {
        self.client = client
        self.resource = resource
        self.labels = labels
    }

    /// Tells `receive` of all changes, one after the other, until the task is cancelled.
    package func run(_ receive: (KubernetesUpdate) async -> Void) async {
        var version: String?
        var pause = Duration.milliseconds(250)
        while !Task.isCancelled {
            do {
                let from: String
                if let version {
                    from = version
                } else {
                    let list = try await self.client.list(self.resource, labels: self.labels)
                    await receive(.all(list.objects))
                    from = list.resourceVersion
                }
                version = from
                try await self.watch(from: &version, receive)
                pause = .milliseconds(250)
                continue
            } catch let error as KubernetesError where error.isGone {
                version = nil
                continue
            } catch is CancellationError {
                return
            } catch {
                if Task.isCancelled { return }
                await receive(.lost("\(error)"))
            }
            try? await Task.sleep(for: pause * Double.random(in: 0.8...1.2))
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Returns where the server ends it.
    private func watch(from version: inout String?, _ receive: (KubernetesUpdate) async -> Void) async throws {
        var query = KubernetesClient.selector(self.labels)
        query["watch"] = "true"
        query["allowWatchBookmarks"] = "true"
        query["resourceVersion"] = version
        query["timeoutSeconds"] = "\(Self.length.components.seconds)"
        let response = try await self.client.execute(
            .GET,
            self.client.path(self.resource),
            query: query,
            deadline: .now() + .seconds(Self.length.components.seconds + 10),
            "watch \(self.resource.plural)"
        )
        var lines = LineBuffer()
        for try await chunk in response.body {
            for line in lines.take(chunk) {
                let event = try KubernetesJSON.value(of: line.utf8)
                let object = KubernetesObject(event["object"] ?? .null)
                switch event["type"]?.string {
                case "ADDED", "MODIFIED": await receive(.set(object))
                case "DELETED": await receive(.removed(object))
                case "ERROR":
                    throw KubernetesError(
                        status: object["code"]?.int ?? 500,
                        body: object.json,
                        request: "watch \(self.resource.plural)"
                    )
                // A bookmark tells only how far the watch has come.
                default: break
                }
                if let newer = object.resourceVersion { version = newer }
            }
        }
    }
}

extension KubernetesClient {
    /// What ``KubernetesWatch`` tells, as a stream that ends with its consumer.
    ///
    /// Nothing is dropped: a watch that lacks one change tells lies from there on.
    package func updates(
        of resource: KubernetesResource,
        labels: [String: String] = [:]
    ) -> AsyncStream<KubernetesUpdate> {
        let watch = KubernetesWatch(self, resource, labels: labels)
        let (stream, continuation) = AsyncStream.makeStream(of: KubernetesUpdate.self, bufferingPolicy: .unbounded)
        // A stream has no task of its own to run in.
        let task = Task {
            await watch.run { continuation.yield($0) }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }
}
