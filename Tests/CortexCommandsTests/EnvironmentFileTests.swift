import ArgumentParser
import CortexControlPlane
import Foundation
import Testing

@testable import CortexCommands

@Suite struct EnvironmentFileTests {
    private static func home() throws -> CortexHome {
        let home = CortexHome(path: "\(NSTemporaryDirectory())cortex-\(UUID().uuidString)")
        return home
    }

    private static func entry(_ name: String, _ endpoint: String = "https://a.example") throws -> EnvironmentFile.Entry
    {
        EnvironmentFile.Entry(
            name: try EnvironmentName(name),
            place: .endpoint(try OperatorEndpoint(endpoint)),
            token: "cortex_\(name)"
        )
    }

    @Test func `what is saved is read again, by its owner only`() throws {
        let home = try Self.home()
        defer { try? FileManager.default.removeItem(atPath: home.path) }
        var file = try EnvironmentFile(home: home)
        #expect(file.names == [.local])
        file.set(try Self.entry("prod"))
        file.set(try Self.entry("dev", "localhost:9000"))
        file.set(try Self.entry("prod", "https://b.example/"))
        try file.setDefault(try EnvironmentName("prod"))
        try file.save()
        try file.save()

        let read = try EnvironmentFile(home: home)
        #expect(read == file)
        #expect(read.names.map(\.description) == ["local", "dev", "prod"])
        #expect(read.entry(try EnvironmentName("prod"))?.place.description == "https://b.example")
        #expect(read.entry(try EnvironmentName("dev"))?.place.description == "http://localhost:9000")
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(home.path)/cli.json")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.path) == ["cli.json"])
    }

    @Test func `an environment of a cluster is kept as its place, in a format of its own`() throws {
        let home = try Self.home()
        defer { try? FileManager.default.removeItem(atPath: home.path) }
        func version() throws -> Int? {
            let data = try Data(contentsOf: URL(filePath: "\(home.path)/cli.json"))
            return (try JSONSerialization.jsonObject(with: data) as? [String: Any])?["version"] as? Int
        }
        var file = try EnvironmentFile(home: home)
        file.set(try Self.entry("prod"))
        try file.save()
        // What an earlier release can read stays readable to it.
        #expect(try version() == 1)
        let location = ClusterLocation(kubeconfig: "/k", context: "c", namespace: "n")
        file.set(EnvironmentFile.Entry(name: try EnvironmentName("n"), place: .cluster(location), token: "t"))
        try file.save()
        #expect(try version() == 2)
        let read = try EnvironmentFile(home: home)
        #expect(read == file)
        #expect(read.entry(try EnvironmentName("n"))?.place.description == "namespace n, context c")
    }

    @Test func `without its default environment, local is the default`() throws {
        let home = try Self.home()
        var file = try EnvironmentFile(home: home)
        let prod = try Self.entry("prod")
        file.set(prod)
        try file.setDefault(prod.name)
        let first = file.remove(prod.name)
        let second = file.remove(prod.name)
        #expect(first && !second)
        #expect(file.defaultName == .local)
        func choose(_ name: EnvironmentName) throws {
            var file = file
            try file.setDefault(name)
        }
        let failure = #expect(throws: CommandFailure.self) { try choose(prod.name) }
        #expect(failure?.exitCode == 2)
    }

    @Test(arguments: [
        ("{", "it is damaged"),
        ("[]", "it is damaged"),
        (#"{"version": 3, "environments": 7}"#, "was written by a newer cortex (format 3, this one knows 2)"),
        (
            #"{"version": 1, "environments": [{"name": "a b", "operator_endpoint": "x", "token": ""}]}"#,
            "\"a b\" is no name of an environment"
        ),
        (
            #"{"version": 1, "environments": [{"name": "a", "operator_endpoint": "http://x.example", "token": ""}]}"#,
            "http://x.example would send the token unencrypted"
        ),
    ])
    func `a file that cannot be used is told, and not overwritten`(text: String, reason: String) throws {
        let home = try Self.home()
        defer { try? FileManager.default.removeItem(atPath: home.path) }
        try FileManager.default.createDirectory(atPath: home.path, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: "\(home.path)/cli.json"))
        let failure = #expect(throws: CommandFailure.self) { try EnvironmentFile(home: home) }
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("\(home.path)/cli.json") == true)
    }

    @Test(arguments: [
        ("cortex.example.com", "https://cortex.example.com"),
        ("cortex.example.com:8889/", "https://cortex.example.com:8889"),
        ("localhost:8889", "http://localhost:8889"),
        ("127.0.0.1:8889", "http://127.0.0.1:8889"),
        ("http://[::1]:8889", "http://[::1]:8889"),
        ("https://cortex.example.com/operator/", "https://cortex.example.com/operator"),
    ])
    func `addresses get the scheme that is meant`(text: String, expected: String) throws {
        #expect(try OperatorEndpoint(text).description == expected)
    }

    @Test(arguments: [
        "", " ", "https://", "ftp://a.example", "http://a.example", "http://127.0.0.1.evil.example",
        "http://localhost.evil.example", "https://user:secret@a.example", "https://a.example?x=1",
        "https://a.example#x",
        "https://a b",
    ])
    func `addresses that could lose a token are refused`(text: String) {
        let failure = #expect(throws: CommandFailure.self) { try OperatorEndpoint(text) }
        #expect(failure?.exitCode == 2)
        #expect(failure?.hint?.contains("https://HOST[:PORT]") == true)
    }

    @Test(arguments: [("short", "********"), ("cortex_0123456789abcdef", "********cdef")])
    func `of a token only the end is shown`(token: String, expected: String) {
        #expect(EnvList.masked(token) == expected)
    }

    @Test func `a flag wins over the variable, and that over the default`() throws {
        let home = try Self.home()
        defer { try? FileManager.default.removeItem(atPath: home.path) }
        var file = try EnvironmentFile(home: home)
        for name in ["a", "b", "c"] { file.set(try Self.entry(name)) }
        try file.setDefault(try EnvironmentName("a"))
        try file.save()
        func name(_ arguments: [String], _ variable: String?) throws -> String {
            var environment = ["CORTEX_HOME": home.path]
            environment["CORTEX_ENV"] = variable
            return try EnvironmentOptions.parse(arguments).target(environment: environment).name.description
        }
        #expect(try name([], nil) == "a")
        #expect(try name([], "") == "a")
        #expect(try name([], "b") == "b")
        #expect(try name(["-e", "c"], "b") == "c")
        #expect(try name(["--env", "local"], "b") == "local")
        let failure = #expect(throws: CommandFailure.self) { try name(["-e", "d"], nil) }
        #expect(failure?.message == "there is no environment d; there are local, a, b, c")
        #expect(failure?.exitCode == 2)
    }
}
