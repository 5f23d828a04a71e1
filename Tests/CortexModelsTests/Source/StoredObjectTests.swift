import CortexModels
import Foundation
import Testing

@Suite struct StoredObjectTests {
    @Test(arguments: ["a", "3/a", "a b/c..d/…", "...", "..a/b", String(repeating: "x", count: 255)])
    func `a path below a folder is accepted`(path: String) throws {
        let object = try StoredObject(path: path, size: 1, modified: 2, tag: "t")
        #expect(try JSONDecoder().decode(StoredObject.self, from: JSONEncoder().encode(object)) == object)
    }

    @Test(arguments: [
        "", "/a", "a//b", "a/", "../a", "a/../b", "a/..", ".", "./a", "a\0b", "a\nb", "\u{7F}",
        String(repeating: "x", count: 256),
    ]) func `a path that could be elsewhere, or no file, is refused by name`(path: String) throws {
        let error = #expect(throws: StorageError.self) { try StoredObject(path: path, size: 1, modified: 2) }
        guard case .unsupported(let text)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!text.utf8.contains { $0 < 0x20 || $0 == 0x7F })
        let json = try JSONEncoder().encode(["path": path])
        let whole = String(decoding: json, as: UTF8.self).dropLast() + #","size":1,"modified":2}"#
        #expect(throws: StorageError.self) { try JSONDecoder().decode(StoredObject.self, from: Data(whole.utf8)) }
    }

    @Test func `a flaw is kept, and its path is a legal one`() throws {
        let object = try StoredObject(path: #"2/a\u{9}"#, flaw: "2/a cannot be a file")
        #expect(try JSONDecoder().decode(StoredObject.self, from: JSONEncoder().encode(object)) == object)
        #expect(try object != StoredObject(path: object.path, size: 0, modified: 0))
        #expect(throws: StorageError.self) { try StoredObject(path: "2/a\t", flaw: "2/a cannot be a file") }
        let json = Data(#"{"path":"../x","size":0,"modified":0,"flaw":"x"}"#.utf8)
        #expect(throws: StorageError.self) { try JSONDecoder().decode(StoredObject.self, from: json) }
    }

    @Test func `an object comes before the flawed one that is shown by the same path`() throws {
        let sound = try StoredObject(path: "b", size: 1, modified: 0)
        let flawed = try StoredObject(path: "b", flaw: "why")
        let others = try ["a", "c"].map { try StoredObject(path: $0, size: 1, modified: 0) }
        for objects in [[flawed, others[1], sound, others[0]], [sound, flawed] + others] {
            #expect(objects.sorted(by: StoredObject.isOrdered) == [others[0], sound, flawed, others[1]])
        }
    }

    @Test func `hidden names are known at any depth`() throws {
        for path in [".git/config", "1/.DS_Store", ".x"] {
            #expect(try StoredObject(path: path, size: 0, modified: 0).isHidden, "\(path)")
        }
        for path in ["a.b", ".../1/a.onnx", "1/weights/.zarray", ".zgroup", "a../b"] {
            #expect(try !StoredObject(path: path, size: 0, modified: 0).isHidden, "\(path)")
        }
    }
}
