/// Where a build's packages come from, in words without passwords.
struct PackageSources: Hashable, Sendable {
    /// What uv sees.
    private let variables: ProcessEnvironment
    /// Addresses of indexes that replace the public one, or are asked besides.
    private let indexes: [String]

    /// - Parameter places: Options of the requirements files: `--index-url=https://…`.
    init(variables: ProcessEnvironment, places: [String] = []) {
        self.variables = variables
        let own = places.compactMap { place in
            let parts = place.split(separator: "=", maxSplits: 1)
            return parts.count == 2 && parts[0].hasSuffix("index-url") ? String(parts[1]) : nil
        }
        let set = ["UV_DEFAULT_INDEX", "UV_INDEX"].flatMap { name in
            (variables[name] ?? "").split { $0.isWhitespace }.map(String.init)
        }
        var seen: Set<String> = []
        self.indexes = (own + set).map(Self.shown).filter { seen.insert($0).inserted }
    }

    /// What is asked, with its address where that is not what everybody asks.
    var index: String {
        switch self.indexes.count {
        case 0: "the package index"
        case 1: "the package index \(self.indexes[0])"
        default: "the package indexes (\(self.indexes.joined(separator: ", ")))"
        }
    }

    /// The variable that keeps uv from asking, as it is set; nil where none does.
    var offlineVariable: String? {
        ["UV_OFFLINE", "UV_NO_INDEX", "PIP_NO_INDEX"].first { name in
            ["1", "on", "true", "yes", "t", "y"].contains((self.variables[name] ?? "").lowercased())
        }
    }

    /// The proxy that an address is asked through: its variable, and its own address.
    func proxy(for url: some StringProtocol) -> (variable: String, address: String)? {
        let host = Self.host(url)
        let exempt = (self.variables["NO_PROXY"] ?? self.variables["no_proxy"] ?? "").split { $0 == "," || $0 == " " }
        let name = host.split(separator: ":").first ?? ""
        guard !exempt.contains(where: { $0 == "*" || name == $0 || name.hasSuffix(".\($0.drop { $0 == "." })") }) else {
            return nil
        }
        let own = url.hasPrefix("https:") ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"]
        for variable in own + ["ALL_PROXY", "all_proxy"] {
            guard let address = self.variables[variable] else { continue }
            return (variable, address.contains("://") ? Self.host(address) : Self.host("http://\(address)"))
        }
        return nil
    }

    /// The host of an address, with its port.
    static func host(_ url: some StringProtocol) -> String {
        let parts = url.split(separator: "/")
        return parts.count > 1 ? String(parts[1].split(separator: "@").last ?? "") : "the package index"
    }

    /// An address without user, password and query, any of which may be secret; `internal=https://…` without its name.
    private static func shown(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let kind = url[..<scheme.lowerBound].split(separator: "=").last ?? "https"
        let rest = url[scheme.upperBound...].prefix { $0 != "?" && $0 != "#" }
        let authority = rest.prefix { $0 != "/" }
        let host = authority.split(separator: "@").last ?? ""
        return "\(kind)://\(host)\(rest.dropFirst(authority.count))"
    }
}
