@testable import CortexLocalProvider

/// A small package index on this machine, or a folder of wheels, that offers several uv: real archives, whose program is a
/// script that answers `--version`.
///
/// It wants a user and password, for its pages and for its files.
enum IndexFixture {
    enum Form: String, CaseIterable, Sendable {
        case json, html, folder
    }

    /// Runs `body` while the index serves, with the variables that lead to it.
    static func serve(
        python: String,
        form: Form,
        corrupt: Bool = false,
        body: ([String: String]) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let arguments = ["-I", "-c", Self.program, folder.path, form.rawValue, corrupt ? "corrupt" : ""]
        let command = ToolCommand(executable: python, arguments: arguments, environment: .current)
        let log = ProgressLog()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await command.run { log.add($0) } }
            // Its first line, which comes once it listens.
            guard let port = await log.line(beginningWith: "") else { throw CancellationError() }
            let variables =
                form == .folder
                ? ["UV_FIND_LINKS": folder.path, "UV_DEFAULT_INDEX": "http://user:secret@127.0.0.1:\(port)/none"]
                : ["UV_DEFAULT_INDEX": "http://user:secret@127.0.0.1:\(port)/simple/"]
            try await body(variables)
            group.cancelAll()
            while let ended = await group.nextResult() {
                if case .failure(let error) = ended, !(error is CancellationError) { throw error }
            }
        }
    }

    private static let program = #"""
        import base64, hashlib, http.server, io, json, pathlib, sys, zipfile
        folder, form, corrupt = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]

        def wheel(version):
            body = io.BytesIO()
            with zipfile.ZipFile(body, "w") as archive:
                archive.writestr(f"uv-{version}.data/scripts/uv", f"#!/bin/sh\necho 'uv {version} (index)'\n")
            return body.getvalue()

        systems = "manylinux_2_17_x86_64.manylinux2014_x86_64 manylinux_2_17_aarch64.manylinux2014_aarch64 " \
            "musllinux_1_1_x86_64 musllinux_1_1_aarch64 macosx_10_12_x86_64 macosx_11_0_arm64"
        files = {f"uv-{v}-py3-none-{s}.whl": wheel(v) for v in ("0.9.9", "0.9.10", "0.9.11", "0.10.0rc1")
                 for s in systems.split()}
        files["uv-0.9.12-py3-none-win_amd64.whl"] = wheel("0.9.12")
        files["uv-0.9.13-py3-none-manylinux_2_17_s390x.whl"] = wheel("0.9.13")
        files["uv-0.9.14-py3-none-manylinux_9_99_x86_64.whl"] = wheel("0.9.14")
        files["uv-0.9.15.tar.gz"] = b""
        if form == "folder":
            for name, body in files.items():
                if "0.9.11" not in name:
                    (folder / name).write_bytes(body)

        def page():
            digests = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
            if form == "json":
                return "application/vnd.pypi.simple.v1+json", json.dumps({"files": [
                    {"filename": n, "url": f"../../files/{n}", "hashes": {"sha256": d},
                     "yanked": "broken" if "0.9.11" in n else False} for n, d in digests.items()]})
            return "text/html", "<!DOCTYPE html><html><body>" + "".join(
                f'<a href="/files/{n}#sha256={d}" {"data-yanked=broken" if "0.9.11" in n else ""}>{n}</a>'
                for n, d in digests.items())

        class Index(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rsplit("/", 1)[-1]
                kind, body = "application/octet-stream", files.get(name)
                if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"user:secret").decode():
                    return self.send_error(401)
                if self.path == "/simple/uv/":
                    kind, text = page()
                    body = text.encode()
                elif body and corrupt:
                    body = body + b"x"
                if body is None:
                    return self.send_error(404)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
        print(server.server_port, flush=True)
        server.serve_forever()
        """#
}
