import Testing

@testable import CortexLocalProvider

@Suite struct CondaToolTests {
    private let packages = Array("# ours\nnumpy\nconda-forge::nosuch-thing=1.0\npython=3.10\n".utf8)

    private func read(_ output: String) -> BuildFailure {
        CondaTool(path: "/bin/conda", name: "conda").failure(
            of: output.split(separator: "\n").map(String.init),
            packages: self.packages
        )
    }

    @Test(arguments: [
        """
        PackagesNotFoundError: The following packages are not available from current channels:

          - conda-forge::nosuch-thing=1.0

        Current channels:

          - https://conda.anaconda.org/numpy
        """,
        """
        error    libmamba Could not solve for environment specs
            The following package could not be installed
            └─ nosuch-thing =1.0 * does not exist (perhaps a typo or a missing channel).
        critical libmamba Could not solve for environment specs
        """,
        """
        error    libmamba Could not solve for environment specs
            The following packages are incompatible
            ├─ numpy is installable and it requires
            │  └─ libblas;
            └─ nosuch-thing does not exist (perhaps a typo or a missing channel).
        """,
        "LibMambaUnsatisfiableError: Encountered problems while solving:\n  - nothing provides requested nosuch-thing",
    ])
    func `a package that is in no channel is told with its line`(output: String) {
        let failure = self.read(output)
        #expect(failure.place == "conda-packages.txt:3")
        #expect(failure.subject == "conda-forge::nosuch-thing=1.0")
        #expect(failure.reason.hasPrefix("conda finds no such package, or not that release of it, in its channels"))
        #expect(!failure.isTransient)
    }

    @Test func `what a package needs and is not there is told with the line that asks for it`() {
        let failure = self.read("  - nothing provides libblas 3.9* needed by numpy-1.2-py310_0")
        #expect(failure.place == "conda-packages.txt:2")
    }

    @Test func `channels that cannot be reached may be there later`() {
        let failure = self.read("CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https://nosuch.invalid/noarch>")
        #expect(failure.place == "conda-packages.txt")
        #expect(failure.reason == "conda cannot reach its channels")
        #expect(failure.isTransient)
    }

    @Test func `anything else blames no line`() {
        let failure = self.read("numpy is at its newest\nCondaError: the moon is full")
        #expect(failure.place == "conda-packages.txt")
        #expect(failure.subject == nil)
    }
}
