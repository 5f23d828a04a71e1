import Testing

@testable import CortexLocalProvider

/// What uv 0.7 and 0.13 said of real mistakes.
@Suite struct UVFailureTests: UVReading {
    @Test(arguments: [
        """
        error: No solution found when resolving dependencies
          cause: Because nunpy was not found in the package registry and you require nunpy, we can conclude that your requirements are unsatisfiable.
        """,
        """
          × No solution found when resolving dependencies:
          ╰─▶ Because nunpy was not found in the package registry and you require
              nunpy, we can conclude that your requirements are unsatisfiable.
        """,
    ])
    func `a package that is not there`(output: String) throws {
        let failure = try self.read(output, "six\n\nnunpy\n")
        #expect(self.head(failure) == "requirements.txt:3: nunpy: not found in the package index; is it misspelt?")
        #expect(!failure.isTransient)
    }

    @Test func `a package that is needed by one of an included file`() throws {
        let output = """
            error: No solution found when resolving dependencies
              cause: Because nunpy was not found in the package registry and thing==1.0 depends on nunpy, we can conclude that thing==1.0 cannot be used.
                     And because you require thing==1.0, we can conclude that your requirements are unsatisfiable.
            """
        let failure = try self.read(output, "six\n-r more.txt\n", more: ["more.txt": "# x\nThing==1.0\n"])
        #expect(
            self.head(failure)
                == "more.txt:2: Thing==1.0: nunpy, which it needs: not found in the package index; is it misspelt?"
        )
    }

    @Test func `a release that is not there`() throws {
        let output = """
            error: No solution found when resolving dependencies
              cause: Because there is no version of numpy==99.1 and you require numpy==99.1, we can conclude that your requirements are unsatisfiable.
            """
        let failure = try self.read(output, "six\nnumpy==99.1 # new\n")
        #expect(self.head(failure) == "requirements.txt:2: numpy==99.1: there is no such release in the package index")
    }

    @Test(arguments: [
        """
        error: Couldn't parse requirement in `requirements.txt` at position 4
          cause: no such comparison operator "=>", must be one of ~= == != <= >= < > ===
                 numpy=>1
                      ^^^
        """,
        """
        error: Couldn't parse requirement in `requirements.txt` at position 4
          Caused by: no such comparison operator "=>", must be one of ~= == != <= >= < > ===
        numpy=>1
             ^^^
        """,
    ])
    func `a line that is no requirement`(output: String) throws {
        let failure = try self.read(output, "six\nnumpy=>1\n")
        #expect(failure.place == "requirements.txt:2")
        #expect(failure.subject == "numpy=>1")
        #expect(failure.reason.hasPrefix("is no requirement: no such comparison operator \"=>\""))
    }

    @Test(arguments: [
        "error: Unexpected '-', expected '-c', '-e', '-r' or the start of a requirement: requirements.txt:2:1",
        "error: Unexpected '-', expected '-c', '-e', '-r' or the start of a requirement at requirements.txt:2:1",
    ])
    func `an option that is none`(output: String) throws {
        let failure = try self.read(output, "six\n--bogus\n")
        #expect(failure.place == "requirements.txt:2")
        #expect(failure.subject == "--bogus")
        #expect(failure.reason.hasPrefix("is no requirement: Unexpected '-'"))
    }

    @Test func `a file that is included and not there`() throws {
        let output = """
            error: Error parsing included file in `requirements.txt` at position 4
              cause: failed to read from file `/tmp/x/nope.txt`: No such file or directory (os error 2)
            """
        let failure = try self.read(output, "six\n-r nope.txt\n")
        #expect(failure.place == "requirements.txt:2")
        #expect(failure.subject == "-r nope.txt")
        #expect(failure.reason.contains("nope.txt`: No such file or directory"))
    }

    @Test func `a folder that is not there`() throws {
        let failure = try self.read("error: Distribution not found at: file:///tmp/x/nothere", "six\n-e ./nothere\n")
        #expect(self.head(failure) == "requirements.txt:2: -e ./nothere: there is nothing at that path")
    }

    @Test(arguments: [
        """
        error: No solution found when resolving dependencies
          cause: Because you require starlette>=0.13.6 and starlette<0.10, we can conclude that your requirements are unsatisfiable.
        """,
        """
          × No solution found when resolving dependencies:
          ╰─▶ Because you require starlette>=0.13.6 and starlette<0.10, we can
              conclude that your requirements are unsatisfiable.
        """,
    ])
    func `a pin that the worker cannot live with names both`(output: String) throws {
        let failure = try self.read(output, "six\nstarlette<0.10\n")
        #expect(
            self.head(failure).hasPrefix(
                "requirements.txt:2: starlette<0.10: cannot be installed beside starlette>=0.13.6, "
                    + "which Cortex's worker needs: you require starlette>=0.13.6 and starlette<0.10"
            )
        )
    }

    @Test func `a package whose own needs the worker cannot live with names both`() throws {
        let output = """
            error: No solution found when resolving dependencies
              cause: Because fastapi==0.30.0 depends on starlette==0.12.0 and you require fastapi==0.30, we can conclude that you require starlette==0.12.0.
                     And because you require starlette>=0.13.6, we can conclude that your requirements are unsatisfiable.
            """
        let failure = try self.read(output, "fastapi==0.30\n")
        #expect(
            self.head(failure).hasPrefix(
                "requirements.txt:1: fastapi==0.30: cannot be installed beside starlette>=0.13.6, which Cortex's worker needs"
            )
        )
    }

    @Test func `lines that exclude one another are both named`() throws {
        let output = """
            error: No solution found when resolving dependencies
              cause: Because pandas==3.1.1 depends on numpy>=2.3 and you require numpy<2, we can conclude that you require pandas!=3.1.1.
                     And because you require pandas==3.1.1, we can conclude that your requirements are unsatisfiable.
            """
        let failure = try self.read(output, "numpy<2\nsix\npandas==3.1.1\n")
        let text = self.head(failure)
        #expect(
            text.hasPrefix("requirements.txt:1: numpy<2: cannot be installed beside pandas==3.1.1 (requirements.txt:3)")
        )
        #expect(!text.contains("worker"))
    }

    @Test(arguments: [
        """
        error: No solution found when resolving dependencies
          cause: Because the current Python version (3.11.7) does not satisfy Python>=3.12 and numpy>=2.5.0 depends on Python>=3.12, we can conclude that numpy>=2.5.0 cannot be used.
                 And because you require numpy>=2.5, we can conclude that your requirements are unsatisfiable.
        """,
        """
        error: No solution found when resolving dependencies
          cause: Because numpy==2.5 requires Python >=3.12 and only numpy==2.5 is available, we can conclude that all versions of numpy cannot be used.
                 And because you require numpy>=2.5, we can conclude that your requirements are unsatisfiable.
        """,
        """
          × No solution found when resolving dependencies:
          ╰─▶ Because the current Python version (3.11.7) does not satisfy
              Python>=3.12 and numpy>=2.5.0 depends on Python>=3.12, we can conclude
              that numpy>=2.5.0 cannot be used.
              And because only the following versions of numpy are available:
                  numpy<=2.5.0
                  numpy==2.5.1
              and you require numpy>=2.5, we can conclude that your requirements are
              unsatisfiable.
        """,
    ])
    func `another Python is needed`(output: String) throws {
        let failure = try self.read(output, "numpy>=2.5\n")
        #expect(
            self.head(failure)
                == "requirements.txt:1: numpy>=2.5: needs Python >=3.12, and its environment has Python 3.11.7; "
                + "ask for a release that does, or for another Python in .python-version"
        )
    }

    @Test(arguments: [
        """
        Resolved 1 package in 187ms
        error: Failed to download `six==1.16.0`
          cause: Hash mismatch for `six==1.16.0`

                 Expected:
                   sha256:0000
                 Computed:
                   sha256:8abb
        """,
        """
          × Failed to download `six==1.16.0`
          ╰─▶ Hash mismatch for `six==1.16.0`

              Expected:
                sha256:0000

              Computed:
                sha256:8abb
        """,
    ])
    func `a file with another hash`(output: String) throws {
        let failure = try self.read(output, "six==1.16.0 --hash=sha256:0000\n")
        #expect(
            self.head(failure) == "requirements.txt:1: six==1.16.0: the file in the index has another hash, sha256:8abb"
        )
    }

    @Test(arguments: [
        (said: "error: [Errno 2] No such file or directory: 'gcc'", needs: "a C compiler"),
        (said: "error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory", needs: "a C compiler"),
        (said: "unable to execute 'clang': No such file or directory", needs: "a C compiler"),
        (said: "b.c:1:10: fatal error: Python.h: No such file or directory", needs: "python3-dev"),
        (said: "b.c:1:10: fatal error: nosuch.h: No such file or directory", needs: "nosuch.h, a header"),
        (said: "error: can't find Rust compiler", needs: "a Rust compiler"),
        (said: "b.c:1:10: fatal error: libpq-fe.h: No such file or directory", needs: "`apt-get install libpq-dev`"),
        (said: "b.c:1:10: fatal error: 'ffi.h' file not found", needs: "`apt-get install libffi-dev`"),
        (said: "/bin/sh: 1: pkg-config: not found", needs: "`apt-get install pkg-config`"),
        (said: "OSError: mysql_config not found", needs: "default-libmysqlclient-dev"),
        (said: "Exception: Can not find valid pkg-config name.\nSpecify MYSQLCLIENT_CFLAGS", needs: "default-libmysql"),
        (said: "Package cairo was not found in the pkg-config search path.", needs: "`apt-get install libcairo2-dev`"),
        (said: "Package 'libxml-2.0', required by 'virtual:world', not found", needs: "`apt-get install libxml2-dev`"),
        (
            said: "../meson.build:31:12: ERROR: Dependency \"cairo\" not found, tried pkgconfig and cmake",
            needs: "cairo, a library that pkg-config does not find"
        ),
        (said: "No package 'rare' found", needs: "rare, a library that pkg-config does not find, with its headers"),
    ])
    func `a package that needs a compiler`(said: String, needs: String) throws {
        let failure = try self.read(self.failedBuild(said), "six\nthing==1.0\n")
        #expect(failure.place == "requirements.txt:2")
        #expect(failure.subject == "thing==1.0")
        #expect(failure.reason.hasPrefix("there is no ready-made build of it for Python 3.11.7 on linux-x86_64"))
        #expect(failure.reason.contains(needs))
    }

    @Test(arguments: [
        "b.c:9:10: fatal error: longintrepr.h: No such file or directory",
        "b.c:9:12: error: 'PyTypeObject' {aka 'struct _typeobject'} has no member named 'tp_print'",
        "b.c:9:12: error: ‘PyThreadState’ has no member named ‘exc_type’; did you mean ‘exc_info’?",
        "b.c:9:5: error: implicit declaration of function ‘PyUnicode_GET_SIZE’",
        "b.c:9:5: error: use of undeclared identifier 'Py_UNICODE_SIZE'",
        "ModuleNotFoundError: No module named 'distutils'",
        "AttributeError: module 'ast' has no attribute 'Str'",
        "AttributeError: module 'pkgutil' has no attribute 'ImpImporter'. Did you mean: 'zipimporter'?",
        "ImportError: cannot import name 'Mapping' from 'collections' (/usr/lib/python3.11/collections/__init__.py)",
    ])
    func `sources that are too old for this Python`(said: String) throws {
        let failure = try self.read(self.failedBuild(said), "six\nthing==1.0\n")
        #expect(
            self.head(failure)
                == "requirements.txt:2: thing==1.0: there is no ready-made build of it for Python 3.11.7 on linux-x86_64, "
                + "and its sources are too old for Python 3.11: take a newer release or an older Python (.python-version)"
        )
    }

    @Test(arguments: [
        "error in thing setup command: use_2to3 is invalid.", "ModuleNotFoundError: No module named 'pkg_resources'",
    ])
    func `sources that no setuptools of today builds`(said: String) throws {
        let failure = try self.read(self.failedBuild(said), "six\nthing==1.0\n")
        #expect(
            failure.reason.hasSuffix(
                "its sources are too old for the setuptools of Python 3.11: take a newer release"
            )
        )
    }

    @Test func `a compiler's word on the package's own names blames no Python`() throws {
        let failure = try self.read(
            self.failedBuild("b.c:9:5: error: 'struct thing' has no member named 'colour'"),
            "six\nthing==1.0\n"
        )
        #expect(failure.reason.hasPrefix("it cannot be built here: "))
    }

    /// What uv says where the build of `thing==1.0` said this.
    private func failedBuild(_ said: String) -> String {
        """
        Resolved 1 package in 1.13s
           Building thing==1.0
          × Failed to build `thing==1.0`
          ├─▶ The build backend returned an error
          ╰─▶ Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)
              [stderr]
              \(said)
        """
    }

    @Test func `a build that fails for a reason of its own`() throws {
        let output = """
            error: Failed to build `bad @ file:///srv/project/bad`
              cause: The build backend returned an error
              cause: Call to `setuptools.build_meta.build_wheel` failed (exit status: 1)

                     [stderr]
                     ModuleNotFoundError: No module named 'numpy'
            """
        let failure = try self.read(output, "six\n./bad\n")
        #expect(
            self.head(failure) == "requirements.txt:2: ./bad: it cannot be built here: "
                + "ModuleNotFoundError: No module named 'numpy'"
        )
    }

    @Test(arguments: [
        """
        error: Failed to fetch: http://nosuch.invalid/simple/flask/
          cause: error sending request for url (http://nosuch.invalid/simple/flask/)
          cause: client error (Connect)
          cause: dns error
          cause: error resolving DNS
          cause: failed to lookup address information: Name or service not known
        """,
        """
        error: Failed to fetch: `http://nosuch.invalid/simple/requests/`
          Caused by: Could not connect, are you offline?
          Caused by: Request failed after 3 retries
          Caused by: error sending request for url (http://nosuch.invalid/simple/requests/)
          Caused by: client error (Connect)
          Caused by: dns error: failed to lookup address information: Name or service not known
        """,
    ])
    func `no network`(output: String) throws {
        let failure = try self.read(output, "flask\n")
        #expect(failure.reason.hasPrefix("nosuch.invalid cannot be reached ("))
        #expect(failure.reason.contains("failed to lookup address information: Name or service not known"))
        #expect(failure.isTransient)
    }

    @Test func `an index that refuses`() throws {
        let output = """
            error: No solution found when resolving dependencies
              cause: Because flask was not found in the package registry and you require flask, we can conclude that your requirements are unsatisfiable.

            hint: An index URL (https://***@host.example/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized).
            """
        let failure = try self.read(output, "flask\n")
        #expect(self.head(failure) == "the package index at host.example answers 401 Unauthorized")
    }

    @Test func `nothing but a folder of wheels`() throws {
        let output = """
            error: No solution found when resolving dependencies
              cause: Because flask was not found in the cache and you require flask, we can conclude that your requirements are unsatisfiable.

            hint: Packages were unavailable because the network was disabled. When the network is disabled, registry packages may only be read from the cache.
            """
        let failure = try self.read(output, "flask\n")
        #expect(
            self.head(failure)
                == "requirements.txt:1: flask: is not in the folder of wheels or in uv's cache, and no index may be asked"
        )
    }

    @Test func `a full disk`() throws {
        let output = """
            error: Failed to install: numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl (numpy==2.4.6)
              cause: failed to copy file: No space left on device (os error 28)
            """
        #expect(try self.read(output, "numpy\n").reason.hasPrefix("the disk is full"))
    }

    @Test func `a repository that git cannot fetch`() throws {
        let output = """
            error: Failed to download and build `ours @ git+https://***@nosuch.invalid/x/y.git`
              cause: Git operation failed
              cause: failed to clone into: /home/user/.cache/uv/git-v2/db/b24b85dad51bb471
              cause: process didn't exit successfully: `/usr/bin/git fetch 'https://***@nosuch.invalid/x/y.git'` (exit status: 128)
                     --- stderr
                     fatal: unable to access 'https://nosuch.invalid/x/y.git/': Could not resolve host: nosuch.invalid
            """
        let failure = try self.read(output, "six\ngit+https://secret@nosuch.invalid/x/y.git\n")
        #expect(failure.place == "requirements.txt:2")
        #expect(failure.subject == "git+https://***@nosuch.invalid/x/y.git")
        #expect(failure.reason.contains("Could not resolve host: nosuch.invalid"))
        #expect(failure.isTransient)
    }

    @Test func `what is not understood is told in uv's words`() throws {
        let failure = try self.read("Using Python 3.11\nerror: The moon is full\n  cause: tide", "six\n")
        #expect(self.head(failure) == "the packages cannot be installed: The moon is full")
    }
}
