/// A path that the user gives of something in the project.
enum ProjectPath {
    /// Why a text is no path in the project.
    enum Flaw: Error, Equatable {
        case absolute
        case outside
        case root
    }

    /// The path without `./`, `//`, `..` and a trailing `/`.
    static func normalise(_ text: String) throws(Flaw) -> String {
        guard !text.hasPrefix("/"), !text.hasPrefix("~") else { throw .absolute }
        var segments: [Substring] = []
        for segment in text.split(separator: "/") where segment != "." {
            if segment != ".." {
                segments.append(segment)
            } else if segments.popLast() == nil {
                throw .outside
            }
        }
        guard !segments.isEmpty else { throw .root }
        return segments.joined(separator: "/")
    }

    /// The path of a packaged file; nil where it is none, which is then told.
    static func file(_ text: String, _ key: String, of section: Section, _ context: ReadingContext) -> String? {
        guard let path = Self.relative(text, key, of: section) else { return nil }
        let allowed = "it must be a file of the project, relative to cortex.yaml"
        switch context.project(path) {
        case .file: return path
        case .folder: section.fail(key, "\(path.quoted) is a folder", allowed: allowed)
        case .missing:
            let hint = Self.nearest(to: path, among: context.files()).map { "did you mean \($0)?" }
            section.fail(key, "there is no file \(path.quoted)", allowed: allowed, hint: hint)
        case .excluded: section.fail(key, "\(path.quoted) is left out of the project", allowed: Self.exclusion)
        }
        return nil
    }

    /// The path of a folder that holds packaged files; nil where it is none, which is then told.
    static func folder(_ text: String, _ key: String, of section: Section, _ context: ReadingContext) -> String? {
        guard let path = Self.relative(text, key, of: section) else { return nil }
        let allowed = "it must be a folder of the project, relative to cortex.yaml"
        switch context.project(path) {
        case .folder: return path
        case .file: section.fail(key, "\(path.quoted) is a file", allowed: allowed)
        case .missing: section.fail(key, "there is no folder \(path.quoted)", allowed: allowed)
        case .excluded: section.fail(key, "\(path.quoted) is left out of the project", allowed: Self.exclusion)
        }
        return nil
    }

    /// The file that was probably meant: one of a similar path, else one of the same name in another folder.
    private static func nearest(to path: String, among files: [String]) -> String? {
        if let similar = Suggestion.nearest(to: path, among: files) { return similar }
        let name = path.split(separator: "/").last
        return files.first { $0.split(separator: "/").last == name }
    }

    private static let exclusion =
        "check .cortexignore; names that start with . and Python byte code are never packaged"

    private static func relative(_ text: String, _ key: String, of section: Section) -> String? {
        let allowed = "it must be relative to cortex.yaml"
        do throws(Flaw) {
            return try Self.normalise(text)
        } catch {
            switch error {
            case .absolute: section.fail(key, "\(text.quoted) is an absolute path", allowed: allowed)
            case .outside: section.fail(key, "\(text.quoted) is outside the project", allowed: allowed)
            case .root:
                section.fail(
                    key,
                    "\(text.quoted) is the project's root",
                    allowed: "name something in it, or remove the key"
                )
            }
            return nil
        }
    }
}
