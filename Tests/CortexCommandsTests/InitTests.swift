import CortexControlPlane
import CortexSpec
import Foundation
import Testing

@testable import CortexCommands

@Suite struct InitTests {
    @Test(arguments: ProjectTemplate.all.map(\.name))
    func `a template is a valid project without a warning`(name: String) throws {
        let template = try #require(ProjectTemplate.named(name))
        let files = template.files(api: "flowers")
        let config = try #require(files.first { $0.path == "cortex.yaml" })
        let check = ConfigCheck(files: files.map(\.path))
        let parsed = try ConfigFile.parse(config.text, fileName: "cortex.yaml", project: check.entry(at:))
        #expect(parsed.apis.map(\.name.description) == ["flowers"])
        #expect(parsed.warnings.isEmpty)
        #expect(files.contains { $0.path == template.sample })
        #expect(files.allSatisfy { $0.text.hasSuffix("\n") && !$0.text.hasSuffix("\n\n") })
    }

    @Test func `nothing is overwritten, and nothing written beside what is there`() async throws {
        let folder = "\(NSTemporaryDirectory())cortex-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: URL(filePath: "\(folder)/predictor.py"))
        #expect(await CortexCommand.main(arguments: ["init", "hello", folder]) == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["predictor.py"])
        #expect(try String(contentsOfFile: "\(folder)/predictor.py", encoding: .utf8) == "mine")
    }
}
