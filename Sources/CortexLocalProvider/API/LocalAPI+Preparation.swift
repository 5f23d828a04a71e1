import CortexControlPlane
import CortexModels
import CortexServing
import CortexSpec
import Synchronization

extension LocalAPI {
    /// How long the network is given until it is tried again: longer each time.
    static let pauses = (first: Duration.seconds(10), longest: Duration.seconds(300))

    /// Brings all that a version needs to this machine.
    ///
    /// Where the network is to blame for a failure, that is told, and it is tried again until it succeeds, or nobody wants the
    /// version any more. So it is with models of a version that has been live: they have been there.
    func prepare(_ version: LocalVersion) async throws -> WorkerLaunch {
        var pause = Self.pauses.first
        while true {
            do {
                return try await self.prepareOnce(version)
            } catch let error where Self.mayPass(error, of: version) {
                guard !self.missing.isExtension(version) else {
                    self.extensionWaits(version, reason: "\(error)")
                    throw CancellationError()
                }
                let reason = "\(error)\nit is tried again in \(pause.goText)"
                if pause > Self.pauses.first {
                    // Told as a failure already.
                    self.log.write(level: "warning", LogText.block(reason), version: version.deployment.version)
                }
                await self.failed(version, reason: reason)
                guard await version.pause(for: pause), self.isNeeded(version) else { throw CancellationError() }
                pause = min(pause * 2, Self.pauses.longest)
            }
        }
    }

    private static func mayPass(_ error: any Error, of version: LocalVersion) -> Bool {
        switch error {
        case let error as EnvironmentError: error.isTransient
        case is ModelOpenError: version.deployment.wasLive
        default: false
        }
    }

    private func prepareOnce(_ version: LocalVersion) async throws -> WorkerLaunch {
        let activity = self.activity
        let emit = self.emit
        let name = self.name
        let number = version.deployment.version
        defer { activity.text = nil }
        return try await version.prepare { said in
            switch said {
            case .step(let text):
                activity.text = text
                emit(ProviderEvent(api: name, version: number, kind: .progress, message: text))
            case .status(let text): activity.text = text
            case .line: break
            }
        }
    }

    /// What is being done at the moment, as it is told by whoever does it.
    final class Activity: Sendable {
        private let current = Mutex<String?>(nil)

        var text: String? {
            get { self.current.withLock { $0 } }
            set { self.current.withLock { $0 = newValue } }
        }
    }
}
