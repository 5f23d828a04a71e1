import Testing

@testable import CortexCommands

@Suite struct KubectlFailureTests {
    @Test(arguments: [
        ("error: current-context must exist in order to minify\n", KubectlFailure.Cause.notConfigured),
        ("error: stat /nope: no such file or directory\n", .notConfigured),
        ("Error in configuration: context was not found for specified context: nope\n", .notConfigured),
        ("error: context \"nope\" does not exist\n", .notConfigured),
        ("error: cannot locate context nope\n", .notConfigured),
        (
            "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?\n",
            .unreachable
        ),
        ("Unable to connect to the server: net/http: TLS handshake timeout\n", .unreachable),
        ("Unable to connect to the server: dial tcp: lookup k8s.example on 10.0.0.2:53: no such host\n", .unreachable),
        (
            "Error from server (ServiceUnavailable): the server is currently unable to handle the request\n",
            .unreachable
        ),
        ("Error from server: etcdserver: request timed out\n", .unreachable),
        ("error: Get \"https://10.0.0.1/api\": dial tcp 10.0.0.1:443: i/o timeout\n", .unreachable),
        (
            "Unable to connect to the server: x509: certificate signed by unknown authority\n",
            .untrusted
        ),
        ("error: You must be logged in to the server (Unauthorized)\n", .notLoggedIn),
        (
            "Unable to connect to the server: getting credentials: exec: executable aws not found\n",
            .notLoggedIn
        ),
        (
            "Error from server (Forbidden): secrets is forbidden: User \"u\" cannot list resource \"secrets\"\n",
            .forbidden
        ),
        (
            "Error from server (Forbidden): services \"cortex-gateway\" is forbidden: exceeded quota: small, "
                + "requested: services=1, used: services=1, limited: services=1\n",
            .quotaExceeded
        ),
        (
            "Error from server (Forbidden): serviceaccounts \"x\" is forbidden: unable to create new content in "
                + "namespace cortex because it is being terminated\n",
            .namespaceTerminating
        ),
        ("Error from server (NotFound): services \"cortex-operator\" not found\n", .notFound),
        ("error: unable to forward port because pod is not running. Current status=Pending\n", .other),
    ])
    func `what kubectl says tells what is wrong`(output: String, cause: KubectlFailure.Cause) {
        #expect(KubectlFailure(output).cause == cause)
        #expect(KubectlFailure("E1122 03:31:09.123456   12 memcache.go:265] noise\n" + output).cause == cause)
    }

    @Test func `only what may pass is tried again`() {
        #expect(KubectlFailure("dial tcp 127.0.0.1:6443: connect: connection refused").isPassing)
        #expect(!KubectlFailure("Error from server (Forbidden): no").isPassing)
        #expect(!KubectlFailure("Unable to connect to the server: x509: expired").isPassing)
    }

    @Test func `its text is kubectl's last line, without noise`() {
        let failure = KubectlFailure(
            """
            E1122 03:31:09.123456   12 memcache.go:265] couldn't get current server API group list
            Warning: something is old
            The connection to the server localhost:8080 was refused - did you specify the right host or port?
            """
        )
        #expect(
            "\(failure)"
                == "The connection to the server localhost:8080 was refused - did you specify the right host or port?"
        )
        #expect("\(KubectlFailure(""))" == "it said nothing")
        #expect("\(KubectlFailure("error: a\nerror: b"))" == "a; error: b")
    }
}
