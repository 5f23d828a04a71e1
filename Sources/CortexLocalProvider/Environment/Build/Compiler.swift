/// What a package that is built from source may find missing on a machine.
enum Compiler {
    private static let signs: [(sign: String, needs: String)] = [
        ("Python.h: No such file", "Python's headers (on Debian and Ubuntu: `apt-get install python3-dev`)"),
        ("pg_config executable not found", "PostgreSQL's headers (`apt-get install libpq-dev`)"),
        ("mysql_config: not found", mysql),
        ("mysql_config: command not found", mysql),
        ("mysql_config not found", mysql),
        ("Specify MYSQLCLIENT_CFLAGS", mysql),
        ("can't find Rust compiler", "a Rust compiler (https://rustup.rs)"),
        ("Cargo, the Rust package manager, is not installed", "a Rust compiler (https://rustup.rs)"),
        ("`cargo metadata` failed", "a Rust compiler (https://rustup.rs)"),
        ("Fortran compiler", "a Fortran compiler (`apt-get install gfortran`)"),
        ("CMake must be installed", "CMake (`apt-get install cmake`)"),
        ("No such file or directory: 'cmake'", "CMake (`apt-get install cmake`)"),
        ("Could not find CMake", "CMake (`apt-get install cmake`)"),
        ("pkg-config: not found", pkgConfig),
        ("pkg-config: command not found", pkgConfig),
        ("No such file or directory: 'pkg-config'", pkgConfig),
        ("Did not find pkg-config", pkgConfig),
        ("pkg-config could not be found", pkgConfig),
    ]

    private static let mysql =
        "MySQL's headers and pkg-config (`apt-get install default-libmysqlclient-dev pkg-config`)"
    private static let pkgConfig = "pkg-config (`apt-get install pkg-config`)"

    /// What the output of a build says it lacks, in words with what to install; nil where it is nothing of that kind.
    static func missing(in text: String) -> String? {
        for (sign, needs) in Self.signs where text.contains(sign) { return needs }
        let tools =
            /(?:No such file or directory: '|unable to execute '|command '|error: command )([^'\s]*(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+))'?(.{0,80})/
        for match in text.matches(of: tools) {
            let isAbsent = match.0.hasPrefix("No such file") || match.2.contains("No such file or directory")
            if isAbsent { return Self.compiler }
        }
        let absent = ["gcc: command not found", "cc: command not found", "gcc: not found", "cc: not found"]
        if absent.contains(where: { text.contains($0) }) || text.contains("Unknown compiler(s)")
            || text.contains("no acceptable C compiler found")
        {
            return Self.compiler
        }
        return SystemLibrary.missing(in: text)
    }

    private static let compiler =
        "a C compiler (on Debian and Ubuntu: `apt-get install build-essential`; on a Mac: `xcode-select --install`)"
}
