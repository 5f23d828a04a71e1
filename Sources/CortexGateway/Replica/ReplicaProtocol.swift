/// What a gateway and a replica across the network say to each other, besides HTTP.
///
/// A gateway asks with `X-Cortex-Gateway: 1`. The replica then answers `102 Processing` ahead of its answer when a worker
/// gets the request: where a connection breaks before that, the request was not started, and may go elsewhere. Its errors are
/// named in `X-Cortex-Error`, and have `X-Cortex-Not-Started: 1` where nothing of the request has run.
package enum ReplicaProtocol {
    package static let gateway = "X-Cortex-Gateway"
    package static let error = "X-Cortex-Error"
    package static let notStarted = "X-Cortex-Not-Started"
    package static let worker = "X-Cortex-Worker"
    package static let version = "X-Cortex-Version"

    /// The interim answer that tells of a start.
    static let startedStatus: StaticString = "HTTP/1.1 102 Processing\r\n\r\n"
}
