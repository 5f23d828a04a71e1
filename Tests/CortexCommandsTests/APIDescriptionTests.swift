import CortexControlPlane
import CortexSpec
import Foundation
import Testing

@testable import CortexCommands

@Suite struct APIDescriptionTests {
    private static func time(_ age: TimeInterval) -> String {
        let data = try? StateJSON.encoder().encode([SampleAPI.now.addingTimeInterval(-age)])
        return String(String(decoding: data ?? Data(), as: UTF8.self).dropFirst().dropLast())
    }

    private func description(deployments: Int = 2) throws -> APIDescription {
        let history = (1...deployments).map { version in
            """
            {"id": "\(version)", "version": \(version), "project": "0123456789abcdef", "deployed_by": "ci",
             "last_updated": \(Self.time(Double(3600 * (deployments - version) + 90))),
             "outcome": "\(version == deployments ? "failed" : "live")",
             "reason": \(version == deployments ? "\"predictor.py:3: KeyError: 'greeting' was not found\"" : "null")}
            """
        }
        let events = """
            [{"id": 1, "at": \(Self.time(95)), "api": "iris", "version": 2, "kind": "progress",
              "message": "building environment"},
             {"id": 2, "at": \(Self.time(9)), "api": "iris", "version": 2, "kind": "worker_exited",
              "message": "worker 1234 ended with exit code 1; another one starts in 200 ms"}]
            """
        let decoder = StateJSON.decoder()
        return APIDescription(
            api: try SampleAPI.make(
                "iris",
                age: 90,
                status: .rolloutFailed,
                reason: "predictor.py:3: KeyError: 'greeting' was not found",
                version: 2,
                replicas: ReplicaCounts(requested: 1, ready: 0, stale: 1, failed: 1),
                requests: RequestStatistics(code2xx: 7, code4xx: 1)
            ),
            deployments: try decoder.decode(
                [DeploymentSummary].self,
                from: Data("[\(history.joined(separator: ","))]".utf8)
            ),
            events: try decoder.decode([EventRecord].self, from: Data(events.utf8))
        )
    }

    @Test func `a page for 80 columns`() throws {
        let page = try self.description().render(bold: false, width: 80, now: SampleAPI.now)
        let start = try #require(page.range(of: "\n\nconfiguration\n  - name: iris\n"))
        #expect(
            page[..<start.lowerBound] == """
                iris (RealtimeAPI)

                status    error (previous version serving)
                reason    predictor.py:3: KeyError: 'greeting' was not found
                logs      cortex logs iris
                endpoint  http://localhost:8888/iris
                version   1 serving, 2 wanted
                replicas  0 of 1 up to date, 1 stale, 1 failed
                requests  7 2XX, 1 4XX, 0 5XX since the server started
                deployed  1m ago by local

                deployment  outcome  age  by  reason
                2           failed   1m   ci  predictor.py:3: KeyError: 'greeting' was not found
                1           live     1h   ci

                event          version  age  message
                progress       2        1m   building environment
                worker exited  2        9s   worker 1234 ended with exit code 1; another one
                                             starts in 200 ms
                """
        )
        #expect(page.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func `a long history is cut, and says so`() throws {
        let page = try self.description(deployments: 12).render(bold: false, now: SampleAPI.now)
        #expect(page.contains("\n12           failed"))
        #expect(!page.contains("\n2            live"))
        #expect(page.contains("(the last 10 of 12 deployments; all of them with -o json)"))
    }

    @Test func `everything is in the JSON`() throws {
        let data = try StateJSON.encoder().encode(try self.description(deployments: 12))
        let value = try StateJSON.decoder().decode(JSONValue.self, from: data)
        guard case .object(let fields) = value, case .array(let history) = fields["deployments"] else {
            Issue.record("no deployments in \(value)")
            return
        }
        #expect(fields.keys.sorted() == ["api", "deployments", "events"])
        #expect(history.count == 12)
    }
}
