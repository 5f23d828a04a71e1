/// Why a version cannot even be tried.
enum VersionError: Error, CustomStringConvertible {
    case badProject(String)

    var description: String {
        switch self {
        case .badProject(let text): "\(text) is not the hash of a project"
        }
    }
}
