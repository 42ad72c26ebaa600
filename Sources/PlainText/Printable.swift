/// Quantities and names in human-readable ASCII.
package enum Printable {
    /// A name in printable ASCII: other characters in a log could control a terminal or break a table.
    package static func name(_ text: String) -> String {
        guard !text.isEmpty else { return "\"\"" }
        var printable = ""
        for scalar in text.unicodeScalars {
            if scalar == "\\" {
                printable += "\\\\"
            } else if (" "..."~").contains(scalar) {
                printable.unicodeScalars.append(scalar)
            } else {
                printable += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return printable
    }

    /// A count with its digits in threes; from ten million on with a unit of thousands.
    package static func count(_ count: Int) -> String {
        guard count >= 10_000_000 else { return grouped(count) }
        return scaled(Double(count), by: 1000, units: ["", "k", "M", "G", "T", "P", "E"])
    }

    /// As `1 stream`, `2 streams`.
    package static func count(_ count: Int, _ noun: String) -> String {
        "\(Self.count(count)) \(noun)\(count == 1 ? "" : "s")"
    }

    package static func bytes(_ bytes: Int) -> String {
        bytes < 1024
            ? "\(bytes) B"
            : scaled(Double(bytes), by: 1024, units: [" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"])
    }

    /// As ``count(_:)``; `-` for what is no rate, such as a number below zero.
    package static func rate(_ perSecond: Double) -> String {
        guard perSecond >= 0, perSecond < 1e21 else { return "-" }
        return perSecond < 10_000_000
            ? (perSecond < 1000 ? threeDigits(perSecond) : grouped(Int(perSecond.rounded())))
            : scaled(perSecond, by: 1000, units: ["", "k", "M", "G", "T", "P", "E"])
    }

    /// Such as `0s`, `850us`, `12.3ms`, `9.75s`, `4m05s`, `2h05m`, `3d04h`; `-` for `nil`.
    package static func duration(_ microseconds: Int?) -> String {
        guard let microseconds else { return "-" }
        if microseconds == 0 { return "0s" }
        if microseconds < 1000 { return "\(microseconds)us" }
        let seconds = Double(microseconds) / 1_000_000
        if microseconds < 999_500 { return threeDigits(seconds * 1000) + "ms" }
        if microseconds < 99_950_000 { return threeDigits(seconds) + "s" }
        let whole = Int(seconds.rounded())
        if whole < 3600 { return "\(whole / 60)m\(padded(whole % 60))s" }
        let minutes = Int((seconds / 60).rounded())
        if minutes < 24 * 60 { return "\(minutes / 60)h\(padded(minutes % 60))m" }
        let hours = Int((seconds / 3600).rounded())
        return "\(hours / 24)d\(padded(hours % 24))h"
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func grouped(_ count: Int) -> String {
        var text = "", digits = 0
        for digit in String(count).reversed() {
            if digits > 0, digits % 3 == 0, digit != "-" { text.append(",") }
            text.append(digit)
            digits += 1
        }
        return String(text.reversed())
    }

    private static func scaled(_ value: Double, by base: Double, units: [String]) -> String {
        var value = value, unit = 0
        while value >= base - 0.5, unit < units.count - 1 {
            value /= base
            unit += 1
        }
        return threeDigits(value) + units[unit]
    }

    /// As `1023`, `123`, `12.3`, `1.23`, `0.12`.
    private static func threeDigits(_ value: Double) -> String {
        let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
        let scale = [1, 10, 100][decimals]
        let (whole, rest) = Int((value * Double(scale)).rounded()).quotientAndRemainder(dividingBy: scale)
        guard decimals > 0 else { return "\(whole)" }
        // A leading 1 keeps the zeros.
        return "\(whole).\(String(scale + rest).dropFirst())"
    }
}
