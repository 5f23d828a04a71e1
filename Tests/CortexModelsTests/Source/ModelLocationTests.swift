import CortexModels
import CortexSpec
import Testing

@Suite struct ModelLocationTests {
    private func place(
        _ text: String,
        folders: [String] = ["/project"],
        home: String? = "/home/ada"
    ) throws -> ModelLocation {
        try ModelLocation(text, folders: folders, home: home)
    }

    @Test(arguments: [
        ("/abs//x/./y/", "/abs/x/y"), ("~/models/", "/home/ada/models"), ("~", "/home/ada"),
        ("models/iris/", "/project/models/iris"), ("./models", "/project/models"), ("../up/x", "/project/../up/x"),
        ("file:///abs/x", "/abs/x"), ("/", "/"),
    ]) func `a path is absolute and tidy`(text: String, expected: String) throws {
        #expect(try self.place(text) == .folder(expected))
    }

    @Test func `a relative path is looked for in one folder after the other`() throws {
        let first = try SourceFolder(["a/x": ""])
        let second = try SourceFolder(["a/x": "", "b/x": ""])
        let folders = [first.path, second.path]
        #expect(try self.place("a/", folders: folders) == .folder("\(first.path)/a"))
        #expect(try self.place("b/", folders: folders) == .folder("\(second.path)/b"))
        #expect(try self.place("c/", folders: folders) == .folder("\(first.path)/c"))
    }

    @Test func `what has no meaning here is told`() {
        #expect(throws: ModelAddress.Flaw.self) { try self.place("models/", folders: []) }
        #expect(throws: ModelAddress.Flaw.self) { try self.place("~/models", home: nil) }
        #expect(throws: ModelAddress.Flaw.self) { try self.place("hdfs://x/y") }
    }

    @Test func `the key names the place and no credentials`() throws {
        func key(_ url: String, _ options: [String: String] = [:]) -> String {
            ModelLocation.remote(RemoteLocation(url: url, options: options)).key
        }
        let plain = key("s3://b/k/")
        #expect(plain.utf8.count == 64)
        #expect(key("s3://b/k/", ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"]) == plain)
        let others = [
            key("s3://b/l/"), key("s3://b/k/", ["AWS_ENDPOINT_URL": "http://one"]),
            key("s3://b/k/", ["AWS_ENDPOINT_URL": "http://two"]), ModelLocation.folder("s3://b/k/").key,
        ]
        #expect(Set(others + [plain]).count == 5)
    }
}
