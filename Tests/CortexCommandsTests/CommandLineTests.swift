import ArgumentParser
import CortexControlPlane
import Foundation
import Testing

@testable import CortexCommands

@Suite(.timeLimit(.minutes(1))) struct CommandLineTests {
    @Test(arguments: [
        ("nope", 2),
        ("get --nope", 2),
        ("get a b", 2),
        ("get -o xml", 2),
        ("logs", 2),
        ("logs iris --last -1", 2),
        ("server run --port 65536", 2),
        ("server run --log-format yaml", 2),
        ("deploy --timeout 10", 2),
        ("deploy /nowhere/cortex.yaml", 1),
        ("deploy /", 1),
        ("validate /nowhere/cortex.yaml", 1),
        ("init no-such-template", 2),
        ("get --watch -o json", 2),
        ("env configure local", 2),
        ("env configure prod --token secret", 2),
        ("env configure prod --token - --token-file x", 2),
        ("env configure \u{1B}", 2),
        ("completion tcsh", 2),
        ("token create", 2),
        ("autoscale simulate", 2),
        ("autoscale simulate nothing-of-this-name", 2),
        ("autoscale simulate 8xlong", 1),
        ("autoscale simulate 8x60 -f /nowhere/cortex.yaml", 1),
        ("autoscale simulate 0x60,8x60 -o json", 0),
        ("d", 2),
    ])
    func `exit codes`(line: String, expected: Int) async {
        let arguments = line.split(separator: " ").map(String.init)
        #expect(await CortexCommand.main(arguments: arguments) == Int32(expected))
    }

    @Test func `every command explains itself with an example`() {
        var commands: [any ParsableCommand.Type] = [CortexCommand.self]
        var count = 0
        while let command = commands.popLast() {
            count += 1
            let configuration = command.configuration
            commands += configuration.subcommands
            let name = configuration.commandName ?? ""
            #expect(!configuration.abstract.isEmpty)
            #expect(configuration.discussion.contains("Examples:\n"), "\(name)")
            let words = configuration.discussion.split(separator: "\n").filter { $0.contains("cortex ") }
            #expect(words.contains { $0.contains(name) }, "\(name)")
        }
        #expect(count > 20)
    }

    @Test(arguments: [
        ("dep", "deploy"), ("de", "de"), ("val", "validate"), ("get", "get"), ("", ""), ("-h", "-h"), ("nope", "nope"),
    ])
    func `a command may be cut short where one only begins so`(word: String, expected: String) {
        #expect(CortexCommand.expanded([word, "x"]) == [expected, "x"])
    }

    @Test func `waiting is the terminal's choice unless told`() throws {
        func wait(_ arguments: String...) throws -> Bool? {
            try #require(try CortexCommand.parseAsRoot(["deploy"] + arguments) as? DeployCommand).wait
        }
        #expect(try wait() == nil)
        #expect(try wait("--wait") == true)
        #expect(try wait("--no-wait") == false)
    }

    @Test func `a flag wins over the environment, and that over the default`() throws {
        let home = CortexHome(path: "/tmp/none")
        func configuration(_ arguments: [String], _ environment: [String: String]) throws -> ServerConfiguration {
            try ServerOptions.parse(arguments).configuration(home: home, environment: environment)
        }
        #expect(try configuration([], [:]) == ServerConfiguration(home: home))
        let named = [
            "CORTEX_PORT": "1", "CORTEX_OPERATOR_PORT": "2", "CORTEX_HOST": "::1", "CORTEX_LOG_FORMAT": "json",
            "CORTEX_ACCESS_LOG": "on",
        ]
        let expected = ServerConfiguration(
            home: home,
            host: "::1",
            port: 1,
            operatorPort: 2,
            logFormat: .json,
            accessLog: .on
        )
        #expect(try configuration([], named) == expected)
        let flags = [
            "--port", "0", "--operator-port", "4", "--host", "0.0.0.0", "--log-format", "text", "--access-log", "off",
        ]
        let flagged = ServerConfiguration(
            home: home,
            host: "0.0.0.0",
            port: 0,
            operatorPort: 4,
            logFormat: .text,
            accessLog: .off
        )
        #expect(try configuration(flags, named) == flagged)
        #expect(try ServerOptions.parse(flags).arguments.sorted() == flags.sorted())
        #expect(try configuration([], ["CORTEX_PORT": ""]).port == 8888)
        #expect(try configuration([], [:]).isChaining)
        #expect(try configuration([], ["CORTEX_CHAINING": "1"]).isChaining)
        #expect(try !configuration([], ["CORTEX_CHAINING": "0"]).isChaining)
        #expect(try !configuration(["--no-chaining"], ["CORTEX_CHAINING": "1"]).isChaining)
        #expect(try ServerOptions.parse(["--no-chaining"]).arguments == ["--no-chaining"])
        #expect(throws: CommandFailure.self) { try configuration([], ["CORTEX_CHAINING": "maybe"]) }
        for value in ["x", "-1", "65536", "8888 "] {
            #expect(throws: CommandFailure.self) { try configuration([], ["CORTEX_PORT": value]) }
        }
    }

    /// A socket that listens on a port of its own.
    private static func makeListener() throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Self.stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isBound)
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    @Test func `the holder of a port is found among many connections`() throws {
        // More than the kernel tells in one read.
        let listeners = try (0..<60).map { _ in try Self.makeListener() }
        defer { for listener in listeners { close(listener.descriptor) } }
        for listener in listeners { #expect(PortHolder.find(port: listener.port)?.pid == getpid()) }
    }

    @Test func `a taken port is told with its holder and the flag`() throws {
        let (descriptor, port) = try Self.makeListener()
        defer { close(descriptor) }
        let configuration = ServerConfiguration(home: CortexHome(path: "/tmp/none"), port: port, operatorPort: port)
        let holder = try #require(PortHolder.find(port: port))
        #expect(holder.pid == getpid())
        let data = #expect(throws: CommandFailure.self) { try PortCheck.data(configuration) }
        #expect(data?.message == "port \(port) is used by \(holder)")
        #expect(data?.hint?.contains("--port or CORTEX_PORT") == true)
        let admin = #expect(throws: CommandFailure.self) { try PortCheck.operator(configuration) }
        #expect(admin?.hint?.contains("--operator-port or CORTEX_OPERATOR_PORT") == true)
    }

    @Test(arguments: ["256.1.1.1", "192.0.2.1"])
    func `an address of another machine is told as such`(host: String) {
        let configuration = ServerConfiguration(home: CortexHome(path: "/tmp/none"), host: host, port: 0)
        let failure = #expect(throws: CommandFailure.self) { try PortCheck.data(configuration) }
        #expect(failure?.message == "\(host) is not an address of this machine")
    }

    #if os(Linux)
    /// Not for the processes that other tests start meanwhile: they would hold the port, too.
    private static let stream = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    #else
    private static let stream = SOCK_STREAM
    #endif
}
