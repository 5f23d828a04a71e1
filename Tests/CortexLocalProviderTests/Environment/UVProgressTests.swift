import Testing

@testable import CortexLocalProvider

@Suite struct UVProgressTests {
    private func read(_ lines: [String]) -> [BuildProgress] {
        var progress = UVProgress()
        return lines.compactMap { progress.take($0) }
    }

    @Test func `tells what is downloaded, with sizes`() {
        let said = self.read([
            "Using Python 3.11.7 environment at: v", "Resolved 5 packages in 442ms", "Downloading pandas (11.8MiB)",
            "Downloading numpy (16.1MiB)", " Downloaded numpy", " Downloaded pandas", "Prepared 5 packages in 945ms",
            "Installed 5 packages in 46ms", " + numpy==2.4.6",
        ])
        #expect(
            said == [
                .step("installing 5 packages"), .status("downloading pandas: 0 of 12 MiB"),
                .status("downloading pandas, numpy: 0 of 28 MiB"), .status("downloading pandas: 16 of 28 MiB"),
                .step("installed 5 packages (28 MiB downloaded)"),
            ]
        )
    }

    @Test func `an older uv ends a download with the same word`() {
        let said = self.read(["Downloading big (1.5GiB)", "Downloading small (512.0KiB)", " Downloading big"])
        #expect(said.last == .status("downloading small: 1536 of 1537 MiB"))
    }

    @Test func `a warm cache is told without sizes`() {
        #expect(
            self.read(["Resolved 1 package in 3ms", "Installed 1 package in 2ms"])
                == [.step("installing 1 package"), .step("installed 1 package")]
        )
        #expect(self.read(["   Building bad @ file:///tmp/bad"]) == [.status("building bad")])
    }
}
