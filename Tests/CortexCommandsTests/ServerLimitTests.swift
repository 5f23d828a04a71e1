import ArgumentParser
import CortexSpec
import Testing

@testable import CortexCommands

@Suite struct ServerLimitTests {
    @Test(arguments: ServerLimit.allCases)
    func `a limit reads what it writes, within its range and not beyond`(limit: ServerLimit) throws {
        for value in [limit.standard, limit.range.lowerBound, limit.range.upperBound] {
            #expect(try limit.value(of: limit.text(of: value), from: "x") == value)
        }
        for text in ["", "0", "-1", "many", "-5s", "0s", "1e99", "9999999999999999999999", "1000000h"] {
            let error = #expect(throws: CommandFailure.self) { try limit.value(of: text, from: limit.flag) }
            #expect(error?.exitCode == 2)
            #expect(error?.message.hasPrefix("\(limit.flag) is \"\(text)\"; allowed are ") == true)
        }
    }

    @Test(arguments: ServerLimit.allCases)
    func `a limit has a flag and a variable, and the flag wins`(limit: ServerLimit) throws {
        let low = limit.text(of: limit.range.lowerBound)
        let high = limit.text(of: limit.range.upperBound)
        let flagged = try LimitOptions.parse([limit.flag, low])
        #expect(flagged.arguments == [limit.flag, low])
        #expect(try flagged.limits(environment: [limit.variable: high])[limit] == limit.range.lowerBound)
        let plain = try LimitOptions.parse([])
        #expect(try plain.limits(environment: [limit.variable: high])[limit] == limit.range.upperBound)
        #expect(try plain.limits(environment: [limit.variable: ""]) == ServerLimits())
        #expect(throws: CommandFailure.self) { try plain.limits(environment: [limit.variable: "none"]) }
    }

    @Test func `a mistyped variable is told, others are not`() {
        let environment = [
            "CORTEX_MAX_HEADER": "5", "CORTEX_MAX_BODYSIZE": "1Gi", "CORTEX_MAX_HEADERS": "5",
            "CORTEX_MAX_HEAD_SIZE": "1Ki",
            "CORTEX_INSTALL_TIMEOUT": "1h", "CORTEX_HOME": "/", "MAX_HEADER": "5",
        ]
        let found = LimitOptions.misspelt(in: environment)
        #expect(found.map { $0.variable } == ["CORTEX_MAX_BODYSIZE", "CORTEX_MAX_HEADER"])
        #expect(found.map { $0.meant } == [.maxBodySize, .maxHeaders])
        #expect(LimitOptions.misspelt(in: ["CORTEX_MODEL_POLL_INTERVAL": "1s", "CORTEX_ACCESS_LOG": "on"]).isEmpty)
    }

    @Test func `names follow one rule`() {
        #expect(ServerLimit.maxURLLength.flag == "--max-url-length")
        #expect(ServerLimit.maxJSONDepth.variable == "CORTEX_MAX_JSON_DEPTH")
    }
}
