import ArgumentParser
import AsyncHTTPClient
import CortexControlPlane
import CortexSpec
import Foundation
import NIOCore
import NIOHTTP1

/// `cortex predict API FILE`: one request, with a file as its body.
struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Send a file to an API and print its answer.",
        discussion: """
            Examples:
              cortex predict iris sample.json
              echo '{"name": "iris"}' | cortex predict hello -
            """
    )

    @Argument(help: "The API's name.")
    var api: String

    @Argument(help: "The file, or - for standard input; JSON, unless its name ends otherwise.")
    var file: String

    @OptionGroup var environment: EnvironmentOptions

    @Option(name: .shortAndLong, help: "pretty lays JSON answers out; json prints them as they came.")
    var output: OutputFormat = .pretty

    func run() async throws {
        let console = Console.standard
        let body = try self.body()
        let client = try await self.environment.connect(console: console)
        guard let found = try await client.api(self.api) else { throw try await client.notDeployed(self.api) }
        guard found.status.servingVersion != nil else {
            throw CommandFailure(
                "\(self.api) cannot answer, its status is \(found.status.message)"
                    + (found.status.reason.map { ": \($0)" } ?? ""),
                hint: "its log: cortex logs \(self.api)"
            )
        }
        let endpoint = try await self.environment.target().reachable(found.endpoint)
        var request = HTTPClientRequest(url: endpoint)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: MediaType.named(by: self.file))
        request.body = .bytes(ByteBuffer(bytes: body))
        let response: HTTPClientResponse
        do {
            response = try await OperatorClient.http.execute(request, timeout: .hours(1))
        } catch {
            throw CommandFailure(
                "cannot reach \(found.endpoint): \(ConnectionFailure(error))",
                hint: try self.environment.target().cluster.map { "are gateways up? \($0.kubectl) get pods" }
                    ?? "look at `cortex server status`"
            )
        }
        let isJSON = response.headers.first(name: "Content-Type")
            .map {
                $0.split(separator: ";").first?.trimmingCharacters(in: .whitespaces).lowercased() == "application/json"
            }
        guard (200..<300).contains(response.status.code) else {
            let text = String(
                decoding: try await response.body.collect(upTo: 16 << 20).readableBytesView,
                as: UTF8.self
            )
            let reason = text.isEmpty ? "" : ": \(text.trimmingCharacters(in: .whitespacesAndNewlines))"
            throw CommandFailure("\(self.api) answered \(response.status.code)\(reason)")
        }
        if isJSON ?? false, self.output == .pretty {
            let bytes = try await response.body.collect(upTo: 1 << 30)
            console.write(JSONText.indented(bytes.readableBytesView) + [UInt8(ascii: "\n")])
            return
        }
        var last: UInt8?
        for try await buffer in response.body {
            console.write(buffer.readableBytesView)
            last = buffer.readableBytesView.last ?? last
        }
        // A prompt should not stand on the answer's line.
        if console.isTerminal, last != UInt8(ascii: "\n") { console.print("") }
    }

    private func body() throws -> Data {
        do {
            guard self.file != "-" else { return try FileHandle.standardInput.readToEnd() ?? Data() }
            // Devices and pipes are files here too: cortex predict hello <(make-payload)
            return try FileHandle(forReadingFrom: URL(filePath: self.file)).readToEnd() ?? Data()
        } catch {
            throw CommandFailure("cannot read \(self.file): \(error.localizedDescription)")
        }
    }
}
