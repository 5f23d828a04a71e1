package import Foundation

/// Names of deployments: 12 hex digits of milliseconds since 1970 and 8 random ones.
///
/// Later names sort after earlier ones also where the clock was set back.
package enum DeploymentID {
    package static func next(after last: String?, at now: Date) -> String {
        let clock = UInt64(max(0, now.timeIntervalSince1970 * 1000))
        let previous = last.flatMap { UInt64($0.prefix(12), radix: 16) }
        let time = max(clock, previous.map { $0 + 1 } ?? 0)
        return Self.hex(time, digits: 12) + Self.hex(UInt64(UInt32.random(in: .min ... .max)), digits: 8)
    }

    private static func hex(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
