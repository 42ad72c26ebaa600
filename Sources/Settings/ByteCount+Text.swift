package import Flow

extension ByteCount {
    /// The units of the configuration, largest first.
    private static let units: [(name: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1),
    ]

    /// Reads a whole number of bytes with or without a unit: `64KiB`, `1MiB`, `1GiB`, `4096`; `nil` for anything else.
    package init?(text: String) {
        let unit = text.drop { $0.isASCII && $0.isNumber }
        guard let scale = Self.units.first(where: { $0.name == unit }),
            let count = Int(wholeNumber: text[..<unit.startIndex])
        else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: scale.bytes)
        guard !overflow else { return nil }
        self.init(bytes)
    }

    /// The text in the largest unit that divides this number of bytes.
    var text: String {
        guard bytes > 0, let unit = Self.units.first(where: { bytes % $0.bytes == 0 }) else { return "0" }
        return "\(bytes / unit.bytes)\(unit.name)"
    }
}
