import Foundation
import Testing

@testable import CortexCommands

@Suite struct DevTextTests {
    private let text = DevText(
        usesColour: false,
        folders: DevFolders(versions: "/home/u/.cortex/dev/x/versions", config: "iris/cortex.yaml")
    )
    private let frame = "File \"/home/u/.cortex/dev/x/versions/iris/0193-a/project/src/a.py\", line 3"

    @Test(arguments: [
        ("cortex.yaml", "src/a.py"), ("./cortex.yaml", "src/a.py"), ("iris/cortex.yaml", "iris/src/a.py"),
        ("./iris/cortex.yaml", "iris/src/a.py"), ("/srv/iris/cortex.yaml", "/srv/iris/src/a.py"),
        ("../cortex.yaml", "../src/a.py"),
    ])
    func `paths of a copy are shown as the user's own`(config: String, shown: String) {
        let folders = DevFolders(versions: "/home/u/.cortex/dev/x/versions", config: config)
        #expect(folders.shown("\(self.frame)\n\(self.frame)") == "File \"\(shown)\", line 3\nFile \"\(shown)\", line 3")
    }

    @Test(arguments: ["no path", "/home/u/.cortex/dev/x/versions", "/home/u/.cortex/dev/x/versions/iris/1/cache/a"])
    func `other paths are left as they are`(_ text: String) {
        #expect(self.text.folders.shown(text) == text)
    }

    @Test func `a first start, a reload and a failure`() {
        let first = DevAttempt(version: 1, paths: [], began: .now)
        let second = DevAttempt(version: 2, paths: ["a.py", "b.py", "c.py", "d.py", "e.py"], began: .now)
        let endpoint = "http://localhost:8888/iris"
        #expect(
            self.text.live("iris", first, after: .milliseconds(812), endpoint: endpoint)
                == "  iris   live in 0.8 s    http://localhost:8888/iris"
        )
        #expect(
            self.text.live("iris", second, after: .seconds(12), endpoint: nil)
                == "  iris   reloaded in 12 s (a.py, b.py, c.py and 2 more)"
        )
        #expect(
            self.text.failed("iris", second, reason: "a.py: E", serving: 1)
                == "✗ iris not reloaded (a.py, b.py, c.py and 2 more): a.py: E\n  the version before serves on"
        )
        #expect(self.text.failed("iris", first, reason: "E", serving: nil).hasPrefix("✗ iris is not live: E\n"))
    }

    @Test func `how to ask depends on the sample`() {
        let endpoint = "http://localhost:8888/iris"
        #expect(
            self.text.tryLine(endpoint: endpoint, sample: ("sample.json", "application/json"))
                == "  try:  curl localhost:8888/iris -H 'content-type: application/json' -d @sample.json"
        )
        #expect(
            self.text.tryLine(endpoint: endpoint, sample: ("my iris/sample.png", "image/png"))
                == "  try:  curl localhost:8888/iris -H 'content-type: image/png' --data-binary @'my iris/sample.png'"
        )
        #expect(self.text.tryLine(endpoint: endpoint, sample: nil).hasSuffix("-d '{}'"))
    }

    @Test func `answers are cut to the terminal, on one line and without control characters`() {
        let body = "a\nb\u{1B}[2J" + String(repeating: "x", count: 99)
        let answer = SampleAnswer(status: 200, milliseconds: 3.14, text: body)
        let line = self.text.sample("sample.json", answer, width: 80)
        #expect(line.hasPrefix("  sample.json   200 in 3.1 ms   a b\\x1b[2Jxxx"))
        #expect(line.count == 80 && line.hasSuffix("…"))
    }

    @Test func `the reason of a failed start comes once`() throws {
        let fields = #""level":"error","stream":"cortex","version":2,"worker":"iris-2-0-0""#
        let line = try #require(DevLogLine(#"{\#(fields),"message":"a.py: E\nTraceback"}"#))
        #expect(line.isShown(isLive: false) && line.isShown(isLive: true))
        #expect(self.text.output(line, tag: nil, isLive: false) == "Traceback")
        #expect(self.text.output(line, tag: "iris", isLive: true) == "iris | a.py: E\niris | Traceback")
    }

    @Test(arguments: [
        (#""level":"info","stream":"stdout","worker":"w""#, true, true),
        (#""level":"info","stream":"environment""#, false, false),
        (#""level":"info","stream":"cortex""#, false, false),
        (#""level":"error","stream":"cortex""#, false, true),
        (#""level":"warning","stream":"cortex","worker":"w""#, false, true),
        (#""level":"error","stream":"worker","worker":"w""#, true, true),
    ])
    func `shows what the user's code says, and what the server has to say of a version that serves`(
        fields: String,
        starting: Bool,
        live: Bool
    ) throws {
        let line = try #require(DevLogLine("{\(fields),\"version\":1,\"message\":\"\"}"))
        #expect(line.isShown(isLive: false) == starting)
        #expect(line.isShown(isLive: true) == live)
    }

    @Test func `requests beyond what can be read are counted`() {
        var feed = DevRequestFeed()
        let start = ContinuousClock.now
        let admitted = (0..<50).count { feed.admits(at: start + .milliseconds($0)) }
        #expect(admitted == DevRequestFeed.limit)
        let hidden = [feed.takeHidden(), feed.takeHidden()]
        #expect(hidden == [50 - DevRequestFeed.limit, 0])
        let isAdmittedLater = feed.admits(at: start + .seconds(1))
        #expect(isAdmittedLater)
    }
}
