import Testing

@testable import CortexCommands

@Suite struct AreaPlotTests {
    @Test func `each column is as high as the most within its time`() {
        let plot = AreaPlot(values: [0, 1, 2, 3, 4, 4, 0, 0.01], width: 4, height: 2)
        // Of 0…4 in 16 eighths: 1, 3, 4, and what is next to nothing.
        #expect(plot.lines.map(\.text) == [" ▄█ ", "▄██▁"])
        #expect(plot.lines.map(\.label) == ["4", "0"])
    }

    @Test func `fewer seconds than columns are stretched`() {
        #expect(AreaPlot(values: [1, 0, 2], width: 6, height: 1).lines.map(\.text) == ["▄▄  ██"])
    }

    @Test func `nothing is drawn as nothing`() {
        #expect(AreaPlot(values: [0, 0], width: 2, height: 1).lines.map(\.text) == ["  "])
    }

    @Test func `half way up is labelled where there is room`() {
        let plot = AreaPlot(values: [80], width: 1, height: 6)
        #expect(plot.lines.map(\.label) == ["80", "", "", "40", "", "0"])
        #expect(AreaPlot(values: [1], width: 1, height: 6).lines[3].label.isEmpty)
    }

    @Test(arguments: [
        (60, 30, "┬─────────┬─────────┬─────────", "0         20s       40s"),
        (3600, 20, "┬─────────┬─────────", "0         30m"),
        (10, 10, "┬─────────", "0"),
        (32 * 86_400, 20, "┬─────────┬─────────", "0         17d"),
    ])
    func `the axis has as many marks as there is room for`(seconds: Int, width: Int, line: String, labels: String) {
        let axis = AreaPlot.axis(seconds: seconds, width: width)
        #expect(axis.line.count == width)
        #expect(axis.line == line)
        #expect(axis.labels == labels)
    }

    @Test(arguments: [(0, "0"), (59, "59s"), (60, "1m"), (90, "1m30s"), (3600, "1h"), (90_000, "1d1h")])
    func `times are short`(seconds: Int, text: String) {
        #expect(AreaPlot.label(seconds) == text)
    }
}
