import Foundation

/// A number of bytes for people: `512 B`, `1.5 MiB`.
struct ByteText: CustomStringConvertible {
    let description: String

    init(_ bytes: Int64) {
        var value = Double(bytes)
        var unit = "B"
        for larger in ["KiB", "MiB", "GiB", "TiB"] {
            // What would be rounded to 1024 is of the next unit.
            guard value >= 1023.95 else { break }
            value /= 1024
            unit = larger
        }
        self.description = unit == "B" ? "\(bytes) B" : String(format: "%.1f ", value) + unit
    }
}
