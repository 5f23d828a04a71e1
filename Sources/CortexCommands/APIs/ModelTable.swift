import CortexControlPlane
import CortexSpec
import Foundation

/// The models of an API, as `cortex get API` shows them.
struct ModelTable {
    /// Versions that are shown; `-o json` has all.
    static let limit = 50

    private let models: [ModelObservation]
    private let now: Date

    init(_ models: [ModelObservation], now: Date = Date()) {
        self.models = models
        self.now = now
    }

    func render(bold: Bool, width: Int? = nil) -> String {
        // The only model of `model_path` has a name that is nobody's business.
        let isNamed = !self.models.allSatisfy { $0.name == "_cortex_default" }
        let hasInputs = self.models.contains { !($0.inputs ?? [:]).isEmpty }
        var columns = [TextTable.Column("model version")]
        if isNamed { columns.insert(TextTable.Column("model name"), at: 0) }
        if hasInputs {
            columns += [TextTable.Column("model input"), TextTable.Column("type"), TextTable.Column("shape")]
        }
        columns += [
            TextTable.Column("size", dropOrder: 1),
            TextTable.Column("in memory of", hiddenWhenEmpty: true, dropOrder: 3),
            TextTable.Column("load time", hiddenWhenEmpty: true, dropOrder: 2),
            TextTable.Column("edit time"),
        ]
        var table = TextTable(columns)
        for model in self.models.prefix(Self.limit) {
            let inputs = (model.inputs ?? [:]).sorted { $0.key < $1.key }
            var isFirst = true
            for input in hasInputs && !inputs.isEmpty ? inputs.map(Optional.some) : [nil] {
                var cells = [isFirst ? (model.version ?? "-") + (model.isLatest ? " (latest)" : "") : ""]
                if isNamed { cells.insert(isFirst ? model.name : "", at: 0) }
                if hasInputs { cells += [input?.key ?? "-", input?.value.type ?? "-", Self.shape(input?.value)] }
                cells += isFirst ? self.state(of: model) : ["", "", "", ""]
                table.add(cells)
                isFirst = false
            }
        }
        var parts = [table.render(bold: bold, width: width)]
        if self.models.count > Self.limit {
            parts.append("… and \(self.models.count - Self.limit) more versions; -o json lists all")
        }
        let errors = self.models.compactMap { model in
            model.error.map { error in
                let words = [isNamed ? model.name : nil, model.version.map { "version \($0)" }].compactMap(\.self)
                return (words.isEmpty ? "" : words.joined(separator: " ") + ": ") + error
            }
        }
        if !errors.isEmpty { parts.append(errors.joined(separator: "\n")) }
        return parts.joined(separator: "\n\n")
    }

    private func state(of model: ModelObservation) -> [String] {
        [
            model.size.map(Self.size) ?? "-",
            model.loadedBy == 0 ? "-" : model.loadedBy == 1 ? "1 worker" : "\(model.loadedBy) workers",
            model.loadSeconds.map { String(format: "%.3g s", $0) } ?? "-",
            model.modified.map { modified in
                "\(Age(since: Date(timeIntervalSince1970: TimeInterval(modified)), now: self.now)) ago"
            } ?? "-",
        ]
    }

    private static func shape(_ tensor: ModelTensor?) -> String {
        guard let tensor else { return "-" }
        guard case .array(let sizes) = tensor.shape else { return "unknown" }
        guard !sizes.isEmpty else { return "scalar" }
        let texts = sizes.map { size in
            switch size {
            case .string(let name): name
            case .null: "?"
            default: size.text
            }
        }
        return "(\(texts.joined(separator: ", ")))"
    }

    private static func size(_ bytes: Int64) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes) / 1024
        for unit in ["KiB", "MiB"] {
            if value < 1024 { return String(format: "%.1f ", value) + unit }
            value /= 1024
        }
        return String(format: "%.1f GiB", value)
    }
}
