import CortexControlPlane
import Foundation
import Testing

@testable import CortexCommands

@Suite(.timeLimit(.minutes(1))) struct LocalEnvironmentTests {
    private static func environment() throws -> LocalEnvironment {
        let home = CortexHome(path: "\(NSTemporaryDirectory())cortex-\(UUID().uuidString)")
        try home.prepare()
        return try LocalEnvironment(environment: ["CORTEX_HOME": home.path])
    }

    @Test func `without a server the way to one is told`() async throws {
        let environment = try Self.environment()
        defer { try? FileManager.default.removeItem(atPath: environment.home.path) }
        let failure = await #expect(throws: CommandFailure.self) { _ = try await environment.connect() }
        #expect(failure?.message == "no cortex server runs in \(environment.home.path)")
        #expect(failure?.hint?.contains("cortex server start") == true)
        #expect(failure?.exitCode == 1)
    }

    @Test func `the record of a dead server counts for nothing`() throws {
        let environment = try Self.environment()
        let home = environment.home
        defer { try? FileManager.default.removeItem(atPath: home.path) }
        var record = ServerRecord(home: home, version: "1", host: "127.0.0.1", port: 1, operatorPort: 2)
        try record.write(in: home)
        #expect(environment.running?.pid == getpid())
        record.pid = 0x7FFF_FFF0
        try record.write(in: home)
        #expect(environment.running == nil)
        try Data("{".utf8).write(to: URL(filePath: "\(home.run)/server.json"))
        #expect(environment.running == nil)
    }

    @Test func `a server that does not answer is told with its pid and log`() async throws {
        let environment = try Self.environment()
        let home = environment.home
        defer { try? FileManager.default.removeItem(atPath: home.path) }
        try ServerRecord(home: home, version: "1", host: "127.0.0.1", port: 1, operatorPort: 1).write(in: home)
        try Data("cortex_x".utf8).write(to: URL(filePath: "\(home.tokens)/local.token"))
        let failure = await #expect(throws: CommandFailure.self) { _ = try await environment.connect() }
        #expect(failure?.message.hasPrefix("the server (pid \(getpid())) does not answer on 127.0.0.1:1") == true)
        #expect(failure?.hint?.contains(home.serverLog) == true)
    }
}
