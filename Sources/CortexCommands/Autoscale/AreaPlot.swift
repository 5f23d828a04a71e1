import CortexControlPlane

/// Values over time as a filled curve of block characters.
struct AreaPlot {
    private static let blocks = Array(" ▁▂▃▄▅▆▇█")

    /// One for each second.
    let values: [Double]
    let width: Int
    let height: Int

    /// The value that the top stands for.
    var top: Double { self.values.max().flatMap { $0 > 0 ? $0 : nil } ?? 1 }

    /// Lines from top to bottom, each with what is written beside it: the value that it stands for, or nothing.
    var lines: [(label: String, text: String)] {
        let columns = self.columns
        return (0..<self.height).map { row in
            let below = (self.height - 1 - row) * 8
            let text = String(columns.map { Self.blocks[min(max($0 - below, 0), 8)] })
            let label =
                switch row {
                case 0: Self.label(self.top)
                case self.height - 1: "0"
                case self.height / 2 where self.height > 4 && self.top >= 10:
                    Self.label(self.top * Double(self.height - row) / Double(self.height))
                default: ""
                }
            return (label, text)
        }
    }

    /// Few digits: whole numbers where they are large.
    private static func label(_ value: Double) -> String {
        ScalingDecision.text(value >= 10 ? value.rounded() : value)
    }

    /// The height of each column, in eighths of a line: that of the most within its time, so that no spike is missed.
    private var columns: [Int] {
        let scale = Double(self.height * 8) / self.top
        return (0..<self.width).map { column in
            let first = column * self.values.count / self.width
            let last = max((column + 1) * self.values.count / self.width, first + 1)
            let most = self.values[first..<min(last, self.values.count)].max() ?? 0
            return most > 0 ? max(Int((most * scale).rounded()), 1) : 0
        }
    }

    /// Marks below the columns, and the times at them.
    static func axis(seconds: Int, width: Int) -> (line: String, labels: String) {
        let days = seconds / max(width / 10, 1) / 86_400 + 1
        let step = Self.steps.first { $0 * width >= seconds * 10 } ?? days * 86_400
        var line = Array(repeating: Character("─"), count: width)
        var labels = ""
        for time in stride(from: 0, through: seconds, by: step) {
            let column = time * width / max(seconds, 1)
            guard column < width else { break }
            line[column] = "┬"
            let label = Self.label(time)
            guard labels.isEmpty || labels.count < column, column + label.count <= width else { continue }
            labels += String(repeating: " ", count: column - labels.count) + label
        }
        return (String(line), labels)
    }

    private static let steps = [
        1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    ]

    /// `1h30m`, without the parts that are nothing.
    static func label(_ seconds: Int) -> String {
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60)
        let parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds % 60, "s")]
        let text = parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
        return text.isEmpty ? "0" : text
    }
}
