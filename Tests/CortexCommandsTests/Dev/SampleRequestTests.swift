import CortexSpec
import Foundation
import Testing

@testable import CortexCommands

@Suite struct SampleRequestTests {
    /// The sample that an API `iris` with its predictor in `src` has in a project of these files.
    private func sample(_ files: [String]) throws -> String? {
        let root = FileManager.default.temporaryDirectory.appending(path: "sample-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for file in ["cortex.yaml"] + files {
            let url = root.appending(path: file)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data().write(to: url)
        }
        let api = APISpec(
            name: try #require(APIName("iris")),
            predictor: PredictorSpec(path: "src/predictor.py"),
            networking: NetworkingSpec(endpoint: "/iris")
        )
        return SampleRequest(for: api, in: root.path(percentEncoded: false))?.path
    }

    @Test(arguments: [
        (["samples/iris.json", "src/sample.json", "sample.json"], "samples/iris.json"),
        (["samples/other.json", "src/sample.png", "sample.json"], "src/sample.png"),
        (["sample.txt", "sample.json"], "sample.json"),
        (["sample.txt", "sample.jpg"], "sample.jpg"),
        (["sample.py", "sample.json~", "sample.json.bak", "sample", "sample.d/x"], nil),
        ([], nil),
    ])
    func `the nearest one is taken`(files: [String], expected: String?) throws {
        #expect(try self.sample(files) == expected)
    }

    @Test func `its ending says its type`() {
        #expect(MediaType.named(by: "a/sample.JPG") == "image/jpeg")
        #expect(MediaType.named(by: "sample.ppm") == "application/octet-stream")
        #expect(MediaType.named(by: "sample.json") == "application/json")
    }
}
