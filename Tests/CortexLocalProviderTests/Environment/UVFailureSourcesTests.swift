import Testing

@testable import CortexLocalProvider

/// What uv 0.13 and git said where the places that packages come from did not give them.
@Suite struct UVFailureSourcesTests: UVReading {
    @Test func `the repository that uv speaks of is the one that is told, with git's first words`() throws {
        let output = """
               Updating file:///srv/ours (nosuchref)
            error: Failed to download and build `ours @ git+file:///srv/ours@nosuchref`
              cause: Git operation failed
              cause: failed to fetch branch or tag `nosuchref`
              cause: process didn't exit successfully: `/usr/bin/git fetch --force 'file:///srv/ours' '+refs/tags/nosuchref:refs/remotes/origin/tags/nosuchref'` (exit status: 128)
                     --- stderr
                     fatal: couldn't find remote ref refs/tags/nosuchref
                     fatal: the remote end hung up
            """
        let failure = try self.read(output, "git+https://host.example/x.git\nours @ git+file:///srv/ours@nosuchref\n")
        #expect(
            self.head(failure) == "requirements.txt:2: ours @ git+file:///srv/ours@nosuchref: git cannot fetch it: "
                + "couldn't find remote ref refs/tags/nosuchref"
        )
        #expect(!failure.isTransient)
    }

    @Test(arguments: [
        "https://nosuch.invalid/six-1.0-py3-none-any.whl",
        "six @ https://user:secret@nosuch.invalid/six-1.0-py3-none-any.whl#sha256=00",
    ])
    func `an address that cannot be reached is told with its line`(line: String) throws {
        let output = """
            error: Failed to download `six @ https://nosuch.invalid/six-1.0-py3-none-any.whl`
              cause: Failed to fetch: https://nosuch.invalid/six-1.0-py3-none-any.whl
              cause: error sending request for url (https://nosuch.invalid/six-1.0-py3-none-any.whl)
              cause: client error (Connect)
              cause: dns error
              cause: failed to lookup address information: Name or service not known
            """
        let failure = try self.read(output, "flask\n\(line)\n")
        #expect(failure.place == "requirements.txt:2")
        #expect(failure.subject == ToolCommand.withoutPasswords(line))
        let cause = "failed to lookup address information: Name or service not known"
        #expect(failure.reason == "nosuch.invalid cannot be reached (\(cause))")
        #expect(failure.isTransient)
        #expect(!"\(failure)".contains("secret"))
    }

    @Test func `an address that has nothing is told with its line`() throws {
        let output = """
            error: Failed to download `six @ http://127.0.0.1:80/six-1.0-py3-none-any.whl`
              cause: Failed to fetch: http://127.0.0.1:80/six-1.0-py3-none-any.whl
              cause: HTTP status client error (404 File not found) for url (http://127.0.0.1:80/six-1.0-py3-none-any.whl)
            """
        let failure = try self.read(output, "six @ http://127.0.0.1:80/six-1.0-py3-none-any.whl\n")
        #expect(
            self.head(failure) == "requirements.txt:1: six @ http://127.0.0.1:80/six-1.0-py3-none-any.whl: "
                + "127.0.0.1:80 answers 404 File not found"
        )
    }

    private static let refusedProxy = """
        error: Failed to fetch: https://index.example/simple/six/
          cause: error sending request for url (https://index.example/simple/six/)
          cause: client error (Connect)
          cause: tunnel error: failed to create underlying connection
          cause: tcp connect error
          cause: Connection refused (os error 111)
        """

    @Test(arguments: [
        ["HTTPS_PROXY": "http://user:secret@127.0.0.1:9", "HTTP_PROXY": "http://other"], ["https_proxy": "127.0.0.1:9"],
        ["ALL_PROXY": "socks5://user:secret@127.0.0.1:9/"],
    ])
    func `a proxy that refuses is told with its variable`(variables: [String: String]) throws {
        let failure = try self.read(Self.refusedProxy, "six\n", variables: variables)
        let name = try #require(variables.keys.first { $0 != "HTTP_PROXY" })
        #expect(
            failure.reason.hasPrefix(
                "index.example cannot be reached through the proxy 127.0.0.1:9 (\(name)): Connection refused (os error 111)"
            )
        )
        #expect(!"\(failure)".contains("secret"))
        #expect(failure.isTransient)
    }

    @Test(arguments: [
        ["HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,.example"], ["HTTP_PROXY": "http://127.0.0.1:9"],
    ])
    func `a proxy that is not asked is not to blame`(variables: [String: String]) throws {
        let failure = try self.read(Self.refusedProxy, "six\n", variables: variables)
        #expect(!failure.reason.contains("proxy"))
    }

    @Test func `a variable that forbids the network is told`() throws {
        let missing = """
            error: No solution found when resolving dependencies
              cause: Because flask was not found in the cache and you require flask, we can conclude that your requirements are unsatisfiable.

            hint: Packages were unavailable because the network was disabled. When the network is disabled, registry packages may only be read from the cache.
            """
        let offline = ["UV_OFFLINE": "1"]
        #expect(try self.read(missing, "flask\n", variables: offline).reason.hasSuffix("be asked (UV_OFFLINE is set)"))
        let download = """
            error: Failed to download `y @ https://nosuch.invalid/y-1-py3-none-any.whl`
              cause: Network connectivity is disabled, but the requested data wasn't found in the cache: https://nosuch.invalid/y-1-py3-none-any.whl
            """
        let line = "y @ https://nosuch.invalid/y-1-py3-none-any.whl"
        #expect(
            self.head(try self.read(download, "six\n\(line)\n", variables: offline))
                == "requirements.txt:2: \(line): is not in uv's cache, and the network may not be used (UV_OFFLINE is set)"
        )
    }

    @Test func `an index of one's own is named, without secrets`() throws {
        let output = """
            error: No solution found when resolving dependencies
              cause: Because six was not found in the package registry and you require six, we can conclude that your requirements are unsatisfiable.
            """
        let own = ["UV_DEFAULT_INDEX": "http://user:secret@host.example:81/simple?token=secret"]
        #expect(
            self.head(try self.read(output, "six\n", variables: own)) == "requirements.txt:1: six: "
                + "not found in the package index http://host.example:81/simple; is it misspelt?"
        )
        let several = try self.read(
            output,
            "--index-url https://secret@one.example/simple\nsix\n",
            variables: ["UV_INDEX": "ours=https://two.example/simple"]
        )
        #expect(
            several.reason == "not found in the package indexes "
                + "(https://one.example/simple, https://two.example/simple); is it misspelt?"
        )
    }

    @Test(arguments: [
        (
            said: "starlette was not found in the provided package locations and you require starlette>=0.13.6",
            says: "starlette, which Cortex's worker needs: is not in the folder of wheels"
        ),
        (
            said: "anyio was not found in the provided package locations and starlette==1.0 depends on anyio",
            says: "anyio, which starlette>=0.13.6 needs, which Cortex's worker needs: is not in the folder of wheels"
        ),
        (
            said: "onnxruntime was not found in the provided package locations and you require onnxruntime",
            says: "onnxruntime, which the predictor needs: is not in the folder of wheels"
        ),
    ])
    func `what no file asks for is told with who does`(said: String, says: String) throws {
        let output = "error: No solution found when resolving\n  cause: Because \(said), we can conclude that"
        let failure = try self.read(output, "six\n", plan: ["onnxruntime"])
        #expect(self.head(failure).hasPrefix(says))
    }

    @Test func `a pyproject.toml that lacks what it must have is told so`() throws {
        let output = """
            error: Failed to parse: pyproject.toml
              cause: TOML parse error at line 1, column 1
                       |
                     1 | [project]
                       | ^^^^^^^^^
                     `pyproject.toml` is using the `[project]` table, but the required `project.version` field is neither set nor present in the `project.dynamic` list
            """
        let head = self.head(try self.read(output, "six\n"))
        #expect(head == "pyproject.toml:1: [project] has no version, which it must have")
    }

    @Test func `a pyproject.toml that cannot be read is told in uv's words`() throws {
        let output = """
            error: Failed to parse: pyproject.toml
              cause: TOML parse error at line 1, column 9
                       |
                     1 | [project
                       |         ^
                     unclosed table, expected `]`
            """
        let head = self.head(try self.read(output, "six\n"))
        #expect(head == "pyproject.toml:1: cannot be read: unclosed table, expected `]`")
    }
}
