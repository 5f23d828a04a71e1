import CortexModels
import Foundation
import Testing

@Suite struct ModelVersionTests {
    @Test(arguments: ["0", "1", "10", "9223372036854775807"]) func `a number is a version`(name: String) throws {
        let version = try #require(ModelVersion(folderName: name))
        #expect(version.description == name)
        #expect(try JSONDecoder().decode(ModelVersion.self, from: JSONEncoder().encode(version)) == version)
    }

    @Test(arguments: ["", "01", "00", "-1", "+1", "1.0", "1e3", "²", "١", " 1", "1 ", "9223372036854775808", "latest"])
    func `all else is not`(name: String) {
        #expect(ModelVersion(folderName: name) == nil)
    }

    @Test func `versions are ordered as numbers`() throws {
        let versions = try ["10", "9", "2"].map { try #require(ModelVersion(folderName: $0)) }
        #expect(versions.sorted().map(\.description) == ["2", "9", "10"])
    }

    @Test func `versions are keys of JSON objects`() throws {
        let version = try #require(ModelVersion(folderName: "3"))
        let text = String(decoding: try JSONEncoder().encode([version: "x"]), as: UTF8.self)
        #expect(text == #"{"3":"x"}"#)
        #expect(try JSONDecoder().decode([ModelVersion: String].self, from: Data(text.utf8)) == [version: "x"])
    }
}
