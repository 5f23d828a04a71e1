import Foundation

// Writes the files of the Python packages in a folder as one Swift constant: `embed-worker DIRECTORY OUTPUT`.

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
    FileHandle.standardError.write(Data("usage: embed-worker DIRECTORY OUTPUT\n".utf8))
    exit(2)
}
let directory = URL(filePath: arguments[1], directoryHint: .isDirectory)
let names = try FileManager.default.subpathsOfDirectory(atPath: directory.path(percentEncoded: false))
    .filter { $0.hasSuffix(".py") || $0.hasSuffix("py.typed") }
    .sorted()

var text = """
    /// The files of the Python packages of `python/src`: path and contents.
    enum WorkerSources {
        static let files: [(path: String, contents: String)] = [

    """
for name in names {
    let contents = try String(contentsOf: directory.appending(path: name), encoding: .utf8)
    // Python may hold any text, three quotes and a few `#` included: the delimiter is longer than any run in it.
    var pounds = "###"
    while contents.contains("\"\"\"" + pounds) || contents.contains("\\" + pounds) { pounds += "#" }
    text +=
        "        (\n            \"\(name)\",\n            \(pounds)\"\"\"\n\(contents)\n\"\"\"\(pounds)\n        ),\n"
}
text += "    ]\n}\n"
try text.write(to: URL(filePath: arguments[2]), atomically: true, encoding: .utf8)
