import Foundation

/// The Python sources of the worker, of the storage agent and of the scanner of imports, which the binary carries.
package enum WorkerPackage {
    /// What an environment must hold for the worker to run: lowest releases only, since the user's own pins win.
    package static let requirements = ["starlette>=0.13.6", "python-multipart>=0.0.5"]

    /// Puts the sources below `directory`, in a folder named after what is in them, unless they are there already.
    ///
    /// The other programs' files have names that no `import` of a user's can mean.
    /// - Returns: The folder to run: `python FOLDER` starts the worker, `python FOLDER/cortex-storage.py` the storage agent,
    ///   `python FOLDER/cortex-imports.py` the scanner.
    package static func unpack(below directory: String) throws -> String {
        let root = URL(filePath: directory, directoryHint: .isDirectory)
        let home = root.appending(path: "worker-\(self.fingerprint)")
        let marker = home.appending(path: "__main__.py")
        if FileManager.default.fileExists(atPath: marker.path(percentEncoded: false)) {
            return home.path(percentEncoded: false)
        }
        let temporary = root.appending(path: ".worker-\(UInt64.random(in: .min ... .max))")
        for file in WorkerSources.files {
            let place = temporary.appending(path: file.path)
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(file.contents.utf8).write(to: place)
        }
        try Data(self.launcher(of: "cortex_imports").utf8).write(to: temporary.appending(path: "cortex-imports.py"))
        try Data(self.launcher(of: "cortex_storage").utf8).write(to: temporary.appending(path: "cortex-storage.py"))
        try Data(self.launcher(of: "cortex_worker").utf8).write(to: temporary.appending(path: "__main__.py"))
        do {
            try FileManager.default.moveItem(at: temporary, to: home)
        } catch {
            // Another process was first, with the same contents.
            try FileManager.default.removeItem(at: temporary)
            guard FileManager.default.fileExists(atPath: marker.path(percentEncoded: false)) else { throw error }
        }
        return home.path(percentEncoded: false)
    }

    /// Started as a folder, Python puts that folder first on its module path: `cortex_worker` is found there without a
    /// `PYTHONPATH` that the user's own programs would inherit.
    private static func launcher(of package: String) -> String {
        """
        import runpy

        runpy.run_module("\(package)", run_name="__main__", alter_sys=True)

        """
    }

    /// FNV-1a over names and contents: it tells releases apart, and guards against nothing else.
    private static var fingerprint: String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for file in WorkerSources.files {
            for byte in [file.path.utf8, file.contents.utf8, self.launcher(of: "").utf8].joined() {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
            }
        }
        return String(hash, radix: 16)
    }
}
