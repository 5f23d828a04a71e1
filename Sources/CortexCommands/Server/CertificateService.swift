import CortexGateway
import Foundation
import Logging
import ServiceLifecycle

/// Looks at the files of the certificate again and again, so that a new one is shown without a restart.
struct CertificateService: Service {
    let certificates: CertificateStore
    let logger: Logger

    private static let interval = Duration.seconds(2)

    func run() async throws {
        self.tell(expires: self.certificates.expires, "certificate loaded")
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil {
                switch self.certificates.refresh() {
                case .none: break
                case .replaced(let expires): self.tell(expires: expires, "certificate replaced")
                case .failed(let error):
                    self.logger.error(
                        "the new certificate is not used, the old one stays",
                        metadata: ["error": "\(error)", "advice": "\(error.advice)"]
                    )
                }
            }
        }
    }

    private func tell(expires: Int, _ message: Logger.Message) {
        let date = Date(timeIntervalSince1970: TimeInterval(expires))
        let metadata: Logger.Metadata = ["expires": "\(date.formatted(.iso8601))"]
        if date < Date() {
            self.logger.warning("the certificate has expired", metadata: metadata)
        } else {
            self.logger.info(message, metadata: metadata)
        }
    }
}
