import CortexControlPlane
import CortexServing
import Foundation

/// The lines that `cortex dev` shows, made of facts; prints nothing.
struct DevText: Sendable {
    let usesColour: Bool
    /// Where workers run an API's code, and what the user calls that folder.
    let folders: DevFolders

    // MARK: Of the project

    /// What was found to be well, on one line.
    func checks(_ checks: [String]) -> String {
        checks.map { "\(self.green("✓")) \($0)" }.joined(separator: "        ")
    }

    /// What a predictor that is up says of itself.
    /// - Parameter path: Its file.
    static func checks(of contract: ReadyMessage, path: String) -> [String] {
        ["Python \(self.minor(of: contract.python))", "\(path): \((contract.signature ?? []).joined(separator: ", "))"]
    }

    /// `3.11` of `3.11.7`.
    private static func minor(of version: String) -> String {
        version.split(separator: ".").prefix(2).joined(separator: ".")
    }

    /// - Parameter endpoint: Where it is, if that is news.
    func live(_ api: String, _ attempt: DevAttempt, after time: Duration, endpoint: String?) -> String {
        let seconds = Self.seconds(time)
        if let endpoint { return "  \(self.bold(api))   live in \(seconds)    \(endpoint)" }
        return "  \(self.bold(api))   reloaded in \(seconds)\(Self.parenthesised(attempt.paths))"
    }

    /// - Parameter serving: The version before, which answers on; nil where there is none.
    func failed(_ api: String, _ attempt: DevAttempt, reason: String, serving: Int?) -> String {
        let what = serving == nil ? "is not live" : "not reloaded\(Self.parenthesised(attempt.paths))"
        let rest = serving == nil ? "a saved change is tried at once" : Self.servesOn
        return "\(self.red("✗")) \(self.bold(api)) \(what): \(self.folders.shown(LogText.block(reason)))\n  \(rest)"
    }

    static let servesOn = "the version before serves on"

    /// What keeps a project from being deployed.
    func problem(_ failure: CommandFailure) -> String {
        "\(self.red("✗")) \(failure.message)" + (failure.hint.map { "\n  \($0)" } ?? "")
    }

    /// How to ask an API oneself.
    /// - Parameter sample: The sample's path as the shell needs it, and its media type.
    func tryLine(endpoint: String, sample: (path: String, mediaType: String)?) -> String {
        let address = endpoint.replacing("http://", with: "", maxReplacements: 1)
        let type = sample?.mediaType ?? "application/json"
        let data =
            switch sample {
            case let sample? where sample.mediaType == "application/json": "-d @\(Self.quoted(sample.path))"
            case let sample?: "--data-binary @\(Self.quoted(sample.path))"
            case nil: "-d '{}'"
            }
        return "  try:  curl \(address) -H 'content-type: \(type)' \(data)"
    }

    // MARK: Of requests

    /// - Parameter tag: The API's name where there are several.
    func output(_ line: DevLogLine, tag: String?, isLive: Bool) -> String {
        var text = self.folders.shown(LogText.block(line.message))
        // The first line of a failed start comes again as the reason that it failed.
        if !isLive, line.worker != nil, line.isOfServer, let end = text.firstIndex(of: "\n") {
            text = String(text[text.index(after: end)...])
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { part in
            let part = line.level == "error" ? self.red(String(part)) : String(part)
            return tag.map { "\(self.dim("\($0) |")) \(part)" } ?? part
        }
        return lines.joined(separator: "\n")
    }

    func request(_ request: DevRequestLine) -> String {
        let status = request.status == 0 ? "left" : "\(request.status)"
        let code = request.error_code.map { "  \($0)" } ?? ""
        let time = Self.milliseconds(request.total_ms)
        let line = "\(request.method) \(LogText.block(request.path)) \(status) \(time)\(code)"
        return request.status >= 500 ? self.red(line) : self.dim(line)
    }

    /// - Parameter width: Columns of the terminal; nil where there is none.
    func sample(_ path: String, _ answer: SampleAnswer, width: Int?) -> String {
        let start = "  \(path)   \(answer.status) in \(Self.milliseconds(answer.milliseconds))   "
        let room = max(20, (width ?? 200) - start.count)
        let text = LogText.block(answer.text).split { $0 == "\n" }.joined(separator: " ")
        let cut = text.count > room ? "\(text.prefix(room - 1))…" : text
        return answer.status >= 400 ? self.red(start + cut) : start + cut
    }

    // MARK: Words

    /// `0.8 s`; from ten seconds on without tenths.
    static func seconds(_ time: Duration) -> String {
        let seconds = time / .seconds(1)
        return String(format: seconds < 9.95 ? "%.1f s" : "%.0f s", seconds)
    }

    static func milliseconds(_ time: Double) -> String {
        String(format: time < 9.95 ? "%.1f ms" : "%.0f ms", time)
    }

    /// The first three, and how many more.
    static func list(_ paths: [String]) -> String {
        let names = paths.prefix(3).map(LogText.block).joined(separator: ", ")
        return paths.count > 3 ? "\(names) and \(paths.count - 3) more" : names
    }

    private static func parenthesised(_ paths: [String]) -> String {
        paths.isEmpty ? "" : " (\(self.list(paths)))"
    }

    /// As a shell reads it back.
    static func quoted(_ path: String) -> String {
        let isPlain = path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+".contains($0)) }
        return isPlain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
    }

    private func green(_ text: String) -> String { self.coloured(text, 32) }
    private func red(_ text: String) -> String { self.coloured(text, 31) }
    private func bold(_ text: String) -> String { self.coloured(text, 1) }
    func dim(_ text: String) -> String { self.coloured(text, 2) }

    private func coloured(_ text: String, _ code: Int) -> String {
        self.usesColour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
