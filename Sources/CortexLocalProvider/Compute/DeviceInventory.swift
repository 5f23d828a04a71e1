import CortexTelemetry
import Foundation
import Subprocess

/// Which devices the machine has.
struct DeviceInventory: Sendable {
    /// The server's own variables.
    var environment: [String: String]
    /// Where the drivers show devices.
    var folder = "/dev"

    func devices(_ kind: DeviceKind) async -> [String] {
        switch kind {
        case .gpu:
            let output = await self.nvidiaSMI(limit: .seconds(10))
            let all = output.map(Self.graphicsProcessors) ?? self.numbers(of: "nvidia").map { Processor(index: $0) }
            return Self.visible(all, by: self.environment["CUDA_VISIBLE_DEVICES"])
        case .inferentia: return self.numbers(of: "neuron").map { "\($0)" }
        }
    }

    /// Whether a driver shows any, which costs next to nothing to know.
    func hasGraphicsProcessors() -> Bool { !self.numbers(of: "nvidia").isEmpty }

    /// Of `/dev/nvidia0`, `/dev/nvidia1`, in their order.
    private func numbers(of prefix: String) -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder)) ?? []
        return names.compactMap { $0.hasPrefix(prefix) ? Int($0.dropFirst(prefix.count)) : nil }
            .filter { $0 >= 0 }.sorted()
    }

    // MARK: nvidia-smi

    /// What it lists; nil where there is none, or it fails, or takes longer.
    private func nvidiaSMI(limit: Duration) async -> String? {
        let (answers, answer) = AsyncStream.makeStream(of: String?.self, bufferingPolicy: .bufferingOldest(1))
        let variables = self.environment.compactMap { name, value in
            Environment.Key(rawValue: name).map { ($0, value) }
        }
        // Tasks of their own: a driver that hangs keeps its processes from being ended, and us from waiting for them.
        let listing = Task {
            let claim = try? Descriptors.claimStart()
            let result =
                claim == nil
                ? nil
                : try? await Subprocess.run(
                    .name("nvidia-smi"),
                    arguments: ["-L"],
                    environment: .custom(Dictionary(variables) { $1 }),
                    input: .none,
                    output: .string(limit: 1 << 20),
                    error: .discarded
                )
            answer.yield(result.flatMap { $0.terminationStatus.isSuccess ? $0.standardOutput : nil })
        }
        let timer = Task {
            try await Task.sleep(for: limit)
            answer.yield(nil)
        }
        defer {
            listing.cancel()
            timer.cancel()
        }
        for await output in answers { return output }
        return nil
    }

    /// A graphics processor, or a part of one that can be had by itself.
    struct Processor: Hashable, Sendable {
        var index: Int
        var uuid: String?
        /// UUIDs of the instances that it is split into (MIG).
        var instances: [String] = []
    }

    /// Reads `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5b…)`, and the `MIG … (UUID: MIG-…)` that may follow.
    static func graphicsProcessors(in text: String) -> [Processor] {
        var found: [Processor] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let uuid = line.range(of: "(UUID: ").map { line[$0.upperBound...].prefix { $0 != ")" } }
            if line.hasPrefix("GPU "), let index = Int(line.dropFirst(4).prefix { $0 != ":" }) {
                found.append(Processor(index: index, uuid: uuid.map(String.init)))
            } else if let uuid, uuid.hasPrefix("MIG-"), !found.isEmpty {
                found[found.count - 1].instances.append(String(uuid))
            }
        }
        return found
    }

    /// Those that the variable lets through, by CUDA's rules: numbers, or beginnings of UUIDs, up to the first that is none.
    ///
    /// - Parameter variable: Nil lets all through.
    static func visible(_ all: [Processor], by variable: String?) -> [String] {
        guard let variable else { return all.flatMap(Self.names) }
        var names: [String] = []
        for entry in variable.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            if let processor = all.first(where: { Int(entry) == $0.index || Self.names(entry, $0.uuid) }) {
                names += Self.names(processor)
            } else if let instance = all.flatMap(\.instances).first(where: { Self.names(entry, $0) }) {
                names.append(instance)
            } else {
                break
            }
        }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    private static func names(_ processor: Processor) -> [String] {
        processor.instances.isEmpty ? ["\(processor.index)"] : processor.instances
    }

    private static func names(_ entry: String, _ uuid: String?) -> Bool {
        guard let uuid, entry.hasPrefix("GPU-") || entry.hasPrefix("MIG-") else { return false }
        return uuid.hasPrefix(entry)
    }
}
