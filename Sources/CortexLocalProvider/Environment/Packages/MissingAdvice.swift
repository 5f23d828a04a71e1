/// What to do where a module is not there, and no pre-installed package gives it.
enum MissingAdvice {
    /// A sentence for the end of an error.
    /// - Parameters:
    ///   - own: The packages that the project asks for itself.
    ///   - isFixed: Nothing can be added to the environment by itself.
    static func text(for module: String, own: Set<String>, isFixed: Bool = false) -> String {
        let top = String(module.prefix { $0 != "." })
        guard let known = KnownPackages.giving(module) else {
            let package = self.names[module] ?? self.names[top]
            if let package { return "add `\(package)` to requirements.txt, which has the module \(top)" }
            return "add the package that has the module \(top) to requirements.txt; its name is often `\(top)`"
        }
        if case .elsewhere(let advice) = known.source { return advice }
        let asked = own.first { $0 == known.name || known.builds.contains($0) }
        if isFixed, asked == nil { return "add `\(known.name)` to requirements.txt, which has the module \(top)" }
        let package = asked ?? known.name
        let origin = asked == nil ? "is installed" : "is installed as requirements.txt asks for it"
        return "\(package) \(origin), and that release has no module \(module)"
    }

    /// Often imported modules whose packages have other names.
    private static let names = [
        "attr": "attrs", "bs4": "beautifulsoup4", "Crypto": "pycryptodome", "distutils": "setuptools",
        "dotenv": "python-dotenv", "faiss": "faiss-cpu", "fitz": "pymupdf", "git": "gitpython", "jose": "python-jose",
        "jwt": "pyjwt", "magic": "python-magic", "MySQLdb": "mysqlclient", "OpenSSL": "pyopenssl",
        "psycopg2": "psycopg2-binary", "sentence_transformers": "sentence-transformers", "serial": "pyserial",
        "slugify": "python-slugify", "tensorflow_text": "tensorflow-text", "zmq": "pyzmq",
    ]
}
