package import CortexControlPlane
import CortexKubernetes
package import CortexSpec
import Foundation

/// The lines of all replicas of an API, each with the name of its pod.
extension KubernetesProvider {
    package func logLines(
        of api: APIName,
        last: Int,
        follow: Bool,
        as form: LogForm
    ) async throws -> AsyncThrowingStream<String, any Error> {
        // A slow reader loses lines rather than that they pile up here.
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: String.self,
            bufferingPolicy: .bufferingNewest(max(last, 0) + 10_000)
        )
        // A stream has no task of its own to run in.
        let task = Task {
            if follow {
                await self.followLogs(of: api, last: last, as: form) { continuation.yield($0) }
            } else {
                for line in await self.lastLines(of: api, last, as: form) { continuation.yield(line) }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    /// The oldest first.
    private func logSources(of api: APIName) -> [PodView] {
        (self.pods[api] ?? [:]).values
            .sorted { ($0.createdAt ?? .distantPast, $0.name) < ($1.createdAt ?? .distantPast, $1.name) }
    }

    /// In the order of time, as far as lines tell it.
    private func lastLines(of api: APIName, _ last: Int, as form: LogForm) async -> [String] {
        guard last > 0 else { return [] }
        let client = self.client
        let lines = await withTaskGroup(of: [ReplicaLine].self) { group in
            for pod in self.logSources(of: api) {
                group.addTask { await Self.lines(of: pod, last, client) }
            }
            var lines: [ReplicaLine] = []
            for await some in group { lines += some }
            return lines
        }
        // What has no time of its own stays behind the line before it.
        return lines.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .suffix(last).map { $0.element.text(as: form) }
    }

    private static func lines(of pod: PodView, _ last: Int, _ client: KubernetesClient) async -> [ReplicaLine] {
        var lines: [ReplicaLine] = []
        for container in ["prepare"] + pod.containers.map(\.name) {
            let (name, found) = (pod.sourceName(container), LineCollection())
            // One that has not been started has no log.
            try? await client.log(ofPod: pod.name, container: container, tail: last, follow: false) {
                await found.add($0, name)
            }
            lines += await found.lines
        }
        return lines
    }

    private func followLogs(
        of api: APIName,
        last: Int,
        as form: LogForm,
        _ yield: @escaping @Sendable (String) -> Void
    ) async {
        let client = self.client
        await withDiscardingTaskGroup { group in
            var known: Set<String> = []
            while !Task.isCancelled {
                let isFirst = known.isEmpty
                for pod in self.logSources(of: api) {
                    // Each run of a container has a log of its own.
                    for (container, run) in [("prepare", 0)] + pod.containers.map({ ($0.name, $0.restarts) })
                    where known.insert("\(pod.name)/\(container)/\(run)").inserted {
                        let count = isFirst ? last : 10_000
                        group.addTask { await Self.follow(container, of: pod, count, as: form, client, yield) }
                    }
                }
                // Replicas come and go; their deletion ends their own streams.
                guard self.apis[api] != nil, (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            }
        }
    }

    /// To the end of its run.
    private static func follow(
        _ container: String,
        of pod: PodView,
        _ last: Int,
        as form: LogForm,
        _ client: KubernetesClient,
        _ yield: @escaping @Sendable (String) -> Void
    ) async {
        let name = pod.sourceName(container)
        while !Task.isCancelled {
            do {
                return try await client.log(ofPod: pod.name, container: container, tail: last, follow: true) {
                    yield(ReplicaLine($0, pod: name).text(as: form))
                }
            } catch let error as KubernetesError where error.status == 400 {
                // It waits for the container before it, or for its image.
                guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            } catch {
                return
            }
        }
    }
}

extension PodView {
    /// What lines of a container are marked with: the replica, and what else runs in it by its own name too.
    fileprivate func sourceName(_ container: String) -> String {
        ["prepare", "api"].contains(container) ? self.name : "\(self.name)/\(container)"
    }
}

/// Lines as they come in.
private actor LineCollection {
    private(set) var lines: [ReplicaLine] = []
    private var time = ""

    func add(_ text: String, _ pod: String) {
        var line = ReplicaLine(text, pod: pod)
        if line.time.isEmpty { line.time = self.time }
        self.time = line.time
        self.lines.append(line)
    }
}

/// A line that a container wrote, with the replica that it is of.
struct ReplicaLine: Hashable, Sendable {
    /// As it came: one JSON object, or whatever a process wrote that was not asked to.
    var line: String
    /// Empty where the line tells none.
    var time: String
    let pod: String

    init(_ line: String, pod: String) {
        self.line = line
        self.pod = pod
        let json = try? KubernetesJSON.value(of: line.utf8)
        self.time = json?["ts"]?.string ?? ""
    }

    func text(as form: LogForm) -> String {
        switch form {
        case .text: return "[\(self.pod)] \(LogText.render(self.line))"
        case .json:
            guard var json = (try? KubernetesJSON.value(of: self.line.utf8))?.object
            else {
                return Self.text(["message": .string(self.line), "replica": .string(self.pod)])
            }
            json["replica"] = .string(self.pod)
            return Self.text(.object(json))
        }
    }

    private static func text(_ json: JSONValue) -> String {
        (try? KubernetesJSON.encoder.encode(json)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
