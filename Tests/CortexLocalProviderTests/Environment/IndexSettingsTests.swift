import Testing

@testable import CortexLocalProvider

@Suite struct IndexSettingsTests {
    private func variables(_ environment: [String: String], files: [String: String] = [:]) -> [String: String] {
        IndexSettings(environment: ProcessEnvironment(environment), readFile: { files[$0] }).variables
    }

    @Test(arguments: [
        (environment: [:], expected: [:]),
        (environment: ["PIP_INDEX_URL": "https://a"], expected: ["UV_DEFAULT_INDEX": "https://a"]),
        (
            environment: ["UV_INDEX_URL": "https://b", "PIP_INDEX_URL": "https://a"],
            expected: ["UV_DEFAULT_INDEX": "https://b"]
        ),
        (
            environment: ["UV_DEFAULT_INDEX": "https://c", "UV_INDEX_URL": "https://b"],
            expected: ["UV_DEFAULT_INDEX": "https://c"]
        ),
        (
            environment: ["UV_DEFAULT_INDEX": "", "PIP_INDEX_URL": "https://a"],
            expected: ["UV_DEFAULT_INDEX": "https://a"]
        ),
        (environment: ["PIP_FIND_LINKS": "/a  /b"], expected: ["UV_FIND_LINKS": "/a,/b"]),
        (environment: ["PIP_EXTRA_INDEX_URL": "https://a\nhttps://b"], expected: ["UV_INDEX": "https://a https://b"]),
        (environment: ["PIP_CERT": "/a.pem"], expected: ["SSL_CERT_FILE": "/a.pem"]),
    ])
    func `pip's variables count where uv's are not set`(environment: [String: String], expected: [String: String]) {
        #expect(self.variables(environment) == expected)
    }

    @Test(arguments: [
        (environment: [:], expected: false),
        (environment: ["PIP_NO_INDEX": "1"], expected: true),
        (environment: ["PIP_NO_INDEX": "false"], expected: false),
        (environment: ["UV_NO_INDEX": "true"], expected: true),
        (environment: ["UV_NO_INDEX": "0", "PIP_NO_INDEX": "1"], expected: false),
    ])
    func `no index is asked where that is said`(environment: [String: String], expected: Bool) {
        let settings = IndexSettings(environment: ProcessEnvironment(environment), readFile: { _ in nil })
        #expect(settings.isWithoutIndex == expected)
    }

    @Test func `an environment's own file counts more than the user's`() {
        let files = [
            "/home/u/.config/pip/pip.conf": "[global]\nno-index = no\nconstraint = /user.txt\n",
            "/env/pip.conf": "[install]\nno-index = yes\nfind-links = /wheels\n",
        ]
        let environment = ProcessEnvironment(["HOME": "/home/u"])
        let settings = IndexSettings(environment: environment, prefix: "/env", readFile: { files[$0] })
        #expect(settings.isWithoutIndex)
        #expect(settings.variables == ["UV_FIND_LINKS": "/wheels", "UV_CONSTRAINT": "/user.txt"])
    }

    @Test func `pip's files count, the nearest most, and variables more`() {
        let files = [
            "/etc/pip.conf": "[global]\nindex-url = https://machine\ncert=/etc/ca.pem\n",
            "/home/u/.config/pip/pip.conf": """
            # a comment
            [global]
            index_url: https://user
            find-links =
                /wheels
                /more
            [install]
            extra-index-url = https://extra
            [list]
            index-url = https://wrong
            """,
            "/named.conf": "[global]\nindex-url = https://named\n",
        ]
        var environment = ["HOME": "/home/u"]
        #expect(
            self.variables(environment, files: files) == [
                "UV_DEFAULT_INDEX": "https://user", "UV_FIND_LINKS": "/wheels,/more", "UV_INDEX": "https://extra",
                "SSL_CERT_FILE": "/etc/ca.pem",
            ]
        )
        environment["PIP_CONFIG_FILE"] = "/named.conf"
        #expect(self.variables(environment, files: files)["UV_DEFAULT_INDEX"] == "https://named")
        environment["PIP_INDEX_URL"] = "https://variable"
        #expect(self.variables(environment, files: files)["UV_DEFAULT_INDEX"] == "https://variable")
        environment["PIP_CONFIG_FILE"] = "/dev/null"
        environment["PIP_INDEX_URL"] = nil
        #expect(self.variables(environment, files: files) == [:])
    }
}
