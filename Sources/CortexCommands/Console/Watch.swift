import Foundation
import UnixSignals

/// Draws a text on the terminal again and again, in place, until Ctrl-C; the last state stays to be read.
struct Watch {
    private let console: Console
    private let title: String
    private let interval: Duration

    /// - Parameter title: The command that this is of.
    init(console: Console, title: String, interval: Duration = .seconds(2)) {
        self.console = console
        self.title = title
        self.interval = interval
    }

    /// - Parameter text: What there is to see now. A failure at the start is the command's own; a later one, of a server
    ///   that restarts perhaps, is shown in place of the text.
    func run(_ text: @escaping @Sendable () async throws -> String) async throws {
        let first = try await text()
        // Before the cursor is hidden: an early Ctrl-C, too, is to bring it back.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        self.console.write(Array("\u{1B}[?25l\u{1B}[2J".utf8))
        self.draw(first)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { return }
            }
            group.addTask {
                while (try? await Task.sleep(for: self.interval)) != nil {
                    let drawn: String
                    do {
                        drawn = try await text()
                    } catch let failure as CommandFailure {
                        drawn = "error: \(failure.message)"
                    } catch {
                        drawn = "error: \(error)"
                    }
                    guard !Task.isCancelled else { return }
                    self.draw(drawn)
                }
            }
            await group.next()
            group.cancelAll()
        }
        self.console.write(Array("\u{1B}[?25h\n".utf8))
    }

    /// One write for the whole screen, so that nothing flickers.
    private func draw(_ text: String) {
        guard let size = self.console.size else { return }
        let lines =
            [Self.header(self.title, width: size.columns), ""]
            + text.split(
                separator: "\n",
                omittingEmptySubsequences: false
            ).map(String.init)
        let shown = Self.fitting(lines, rows: size.rows - 1).map { Self.cut($0, to: size.columns) + "\u{1B}[K" }
        self.console.write(Array(("\u{1B}[H" + shown.joined(separator: "\n") + "\u{1B}[J").utf8))
    }

    /// As many lines as there are rows; where that is not all, the last one says how many are missing.
    static func fitting(_ lines: [String], rows: Int) -> [String] {
        let rows = max(1, rows)
        guard lines.count > rows else { return lines }
        let shown = lines.prefix(rows - 1)
        return shown + ["… \(lines.count - shown.count) more lines: this window has too few rows"]
    }

    /// `$ cortex get …  21 Nov 26 12:00:00 UTC`.
    static func header(_ title: String, width: Int, now: Date = Date(), zone: TimeZone = .current) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = zone
        format.dateFormat = "dd MMM yy HH:mm:ss zzz"
        let time = format.string(from: now)
        let room = max(0, width - time.count - 4)
        let start = title.count > room ? "\(title.prefix(max(0, room - 1)))…" : title
        return "$ \(start)" + String(repeating: " ", count: max(2, width - start.count - 2 - time.count)) + time
    }

    /// The line up to a width; ANSI codes take none, and are closed.
    static func cut(_ line: String, to width: Int) -> String {
        var result = ""
        var count = 0
        var isInCode = false
        for character in line {
            if isInCode {
                result.append(character)
                isInCode = !character.isLetter
            } else if character == "\u{1B}" {
                result.append(character)
                isInCode = true
            } else if count < width {
                result.append(character)
                count += 1
            }
        }
        return result
    }
}
