/// Libraries of the system that packages are built against, and what brings them on Debian and Ubuntu.
enum SystemLibrary {
    /// By the names that pkg-config knows them by.
    private static let modules = [
        "cairo": "libcairo2-dev", "dbus-1": "libdbus-1-dev", "freetype2": "libfreetype-dev", "gdal": "libgdal-dev",
        "girepository-1.0": "libgirepository1.0-dev", "gobject-introspection-1.0": "libgirepository1.0-dev",
        "hdf5": "libhdf5-dev", "libavcodec": "libavcodec-dev", "libavformat": "libavformat-dev",
        "libcurl": "libcurl4-openssl-dev", "libffi": "libffi-dev", "libpng": "libpng-dev", "libpq": "libpq-dev",
        "libsystemd": "libsystemd-dev", "libxml-2.0": "libxml2-dev", "libxslt": "libxslt1-dev",
        "mariadb": "default-libmysqlclient-dev", "mysqlclient": "default-libmysqlclient-dev",
        "openblas": "libopenblas-dev", "openssl": "libssl-dev", "pangocairo": "libpango1.0-dev",
        "sndfile": "libsndfile1-dev", "xmlsec1": "libxmlsec1-dev", "zlib": "zlib1g-dev",
    ]

    private static let headers = [
        "alsa/asoundlib.h": "libasound2-dev", "cairo.h": "libcairo2-dev", "curl/curl.h": "libcurl4-openssl-dev",
        "ffi.h": "libffi-dev", "gdal.h": "libgdal-dev", "geos_c.h": "libgeos-dev", "gmp.h": "libgmp-dev",
        "graphviz/cgraph.h": "libgraphviz-dev", "gssapi/gssapi.h": "libkrb5-dev", "hdf5.h": "libhdf5-dev",
        "jpeglib.h": "libjpeg-dev", "lber.h": "libldap2-dev", "ldap.h": "libldap2-dev",
        "leveldb/db.h": "libleveldb-dev",
        "libpq-fe.h": "libpq-dev", "libxml/xmlversion.h": "libxml2-dev libxslt1-dev",
        "librdkafka/rdkafka.h": "librdkafka-dev", "lzma.h": "liblzma-dev", "mpfr.h": "libmpfr-dev",
        "mysql.h": "default-libmysqlclient-dev", "portaudio.h": "portaudio19-dev", "png.h": "libpng-dev",
        "sasl/sasl.h": "libsasl2-dev", "snappy-c.h": "libsnappy-dev", "sndfile.h": "libsndfile1-dev",
        "sql.h": "unixodbc-dev", "sqlite3.h": "libsqlite3-dev", "yaml.h": "libyaml-dev", "zlib.h": "zlib1g-dev",
    ]

    /// What the output of a build says it lacks, in words with what to install where that is known.
    static func missing(in text: String) -> String? {
        if let header = text.firstMatch(of: /fatal error: '?(\S+?\.h(?:pp|h)?)'?:? (?:No such file|file not found)/)?.1
        {
            let name = String(header)
            if let package = Self.package(name, in: Self.headers) { return "\(name) (`apt-get install \(package)`)" }
            return "\(name), a header of a library that has to be installed with the system's packages"
        }
        let patterns = [
            /Package '?([\w.+-]+?)'?,? (?:required by '[^']+', )?(?:was )?not found/, /No package '([\w.+-]+)' found/,
            /Dependency (?:lookup for )?"?([\w.+-]+?)"? (?:not found, tried pkgconfig|with method 'pkgconfig' failed)/,
        ]
        for pattern in patterns {
            guard let module = text.firstMatch(of: pattern)?.1 else { continue }
            let name = String(module)
            let advice = Self.package(name, in: Self.modules).map { " (`apt-get install \($0)`)" }
            return "\(name), a library that pkg-config does not find\(advice ?? ", with its headers")"
        }
        if text.contains("Could not run curl-config") {
            return "curl's headers (`apt-get install libcurl4-openssl-dev libssl-dev`)"
        }
        return nil
    }

    private static func package(_ name: String, in table: [String: String]) -> String? {
        if let package = table[name] { return package }
        if name.hasPrefix("openssl/") { return "libssl-dev" }
        return nil
    }
}
