/// A project to begin with: files of a few lines, of which the first is the config file.
struct ProjectTemplate: Sendable {
    struct File: Sendable {
        var path: String
        /// What it is for, in a few words.
        var purpose: String
        var text: String
    }

    /// What users call it, and the API in it unless its folder has a better name.
    var name: String
    /// What it shows, in a few words.
    var abstract: String
    var files: [File]
    /// The file to send as a first request.
    var sample: String

    /// All of them, the default one first.
    static let all: [ProjectTemplate] = [.hello, .iris, .image]

    /// The template of a name; `python` is another one for the first.
    static func named(_ name: String) -> ProjectTemplate? {
        name == "python" ? .hello : self.all.first { $0.name == name }
    }

    /// The files for an API of another name.
    func files(api: String) -> [File] {
        self.files.map { file in
            var file = file
            if file.path == "cortex.yaml" {
                file.text = file.text.replacing("name: \(self.name)\n", with: "name: \(api)\n", maxReplacements: 1)
            }
            return file
        }
    }
}

extension ProjectTemplate.File {
    static let ignore = Self(
        path: ".cortexignore",
        purpose: "what is not deployed, as in .gitignore",
        text: """
            *.ipynb
            notebooks/
            tests/

            """
    )
}
