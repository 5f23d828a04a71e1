import CortexControlPlane
import CortexGateway
import CortexServing
import CortexSpec
import NIOCore

/// `readiness.sample`: what a new replica must answer before it takes requests.
extension LocalAPI {
    /// A request as a client would send it.
    struct Sample {
        /// In the project.
        var path: String
        var timeout: Duration
    }

    /// Nil where a replica of this version need not answer any.
    func sample(for version: LocalVersion) -> Sample? {
        let spec = version === self.serving ? self.current?.spec : version.deployment.spec
        guard let spec, let path = spec.readiness.sample else { return nil }
        return Sample(path: path, timeout: spec.networking.timeout)
    }

    /// Lets a replica in once each of its workers has answered the sample; tries again where one has not.
    func prove(_ id: Int, _ replica: LocalReplica, _ sample: Sample) async {
        let version = replica.version
        var pause = Duration.seconds(1)
        self.progress("waiting for an answer to \(sample.path) (readiness.sample)", of: version)
        while let record = self.record(id), record.stage != .draining, self.isNeeded(version) {
            guard let failure = await self.answer(sample, by: replica) else { return await self.admit(id, replica) }
            let reason = "readiness.sample (\(sample.path)): \(failure)"
            let number = version.deployment.version
            let text = "\(reason); it is asked again in \(pause.goText)"
            self.log.write(level: "error", text, version: number, worker: replica.name)
            self.note(.failed(reason: LogText.block(reason)), id)
            await self.failed(version, reason: reason)
            self.reconcile()
            guard await replica.pause(for: pause) else { return }
            pause = min(pause * 2, .seconds(30))
        }
    }

    private func answer(_ sample: Sample, by replica: LocalReplica) async -> String? {
        guard let body = replica.version.projectFile(sample.path) else { return "the file cannot be read" }
        guard let contract = await replica.contract() else { return "\(replica.name) has ended" }
        let machine = self.machine
        let arguments = PredictArguments(names: contract.arguments)
        let parts = PredictRequest.Parts(
            contentType: MediaType.named(by: sample.path),
            query: "",
            headers: [("content-type", MediaType.named(by: sample.path))],
            body: .bytes(ByteBuffer(bytes: body))
        )
        return await replica.answerSample {
            let number = machine.nextSampleNumber()
            let deadline = NIODeadline.now() + TimeAmount(sample.timeout)
            return PredictRequest(
                number: number.request,
                requestID: "sample-\(number.count)",
                parts,
                arguments: arguments,
                deadline: deadline,
                apiDeadline: deadline
            )
        }
    }
}
