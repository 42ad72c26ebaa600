/// A finite pace in records per unit of time, kept as it was written so that it can be told back exactly.
///
/// The text form is the contract's: a number, `/`, a unit. `Rate("2.50/m")` has the text `2.5/minute`.
package struct Rate: Sendable {
    package enum Unit: String, Sendable, CaseIterable {
        case second, minute, hour

        package var seconds: Int64 {
            switch self {
            case .second: 1
            case .minute: 60
            case .hour: 3600
            }
        }

        /// The unit that a word names: its long form or a short form of the contract (`s`, `sec`, `m`, `min`, `h`).
        init?(word: Substring) {
            switch word {
            case "second", "sec", "s": self = .second
            case "minute", "min", "m": self = .minute
            case "hour", "h": self = .hour
            default: return nil
            }
        }
    }

    /// The number before the unit is `digits / 10^decimals`, without trailing zeros.
    package let digits: Int64
    package let decimals: Int
    package let unit: Unit

    /// The number's longest form: 9 digits before the point and 6 after it, so that no product below overflows.
    package static let maximumWholeDigits = 9, maximumDecimals = 6

    /// A whole number of records in each unit of time; `nil` unless it is from 1 to 999,999,999.
    package init?(_ count: Int, per unit: Unit) {
        guard (1...999_999_999).contains(count) else { return nil }
        (digits, decimals, self.unit) = (Int64(count), 0, unit)
    }

    /// Reads `10/second`, `0.5/hour`, `2.5/m`; `nil` for anything else, zero and signs included.
    package init?(_ text: some StringProtocol) {
        let text = Substring(text)
        guard let slash = text.firstIndex(of: "/"), let unit = Unit(word: text[text.index(after: slash)...]) else {
            return nil
        }
        let parts = text[..<slash].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard (1...Self.maximumWholeDigits).contains(parts[0].utf8.count) else { return nil }
        var fraction = Substring()
        if parts.count == 2 {
            fraction = parts[1]
            guard (1...Self.maximumDecimals).contains(fraction.utf8.count) else { return nil }
            while fraction.last == "0" { fraction.removeLast() }
        }
        let number = parts[0] + fraction
        guard number.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let digits = Int64(number), digits > 0
        else { return nil }
        (self.digits, self.decimals, self.unit) = (digits, fraction.utf8.count, unit)
    }

    /// The canonical text: no needless zeros, the unit's long form.
    package var text: String {
        let scale = Self.powerOfTen(decimals)
        let (whole, rest) = digits.quotientAndRemainder(dividingBy: scale)
        guard decimals > 0 else { return "\(whole)/\(unit.rawValue)" }
        let fraction = String(rest)
        return "\(whole).\(String(repeating: "0", count: decimals - fraction.utf8.count))\(fraction)/\(unit.rawValue)"
    }

    /// The time from one record to the next in nanoseconds, rounded to the nearest, at least 1.
    package var spacing: Int64 {
        // At most 3600e9 * 1e6 = 3.6e18, below Int64.max.
        let period = unit.seconds * 1_000_000_000 * Self.powerOfTen(decimals)
        return max(1, (period + digits / 2) / digits)
    }

    package var recordsPerSecond: Double {
        Double(digits) / Double(Self.powerOfTen(decimals)) / Double(unit.seconds)
    }

    /// The rate as whole records in whole seconds, in lowest terms: the `q` and `w` of a RateLimit policy.
    package var quota: (records: Int64, seconds: Int64) {
        let seconds = unit.seconds * Self.powerOfTen(decimals)
        var (a, b) = (digits, seconds)
        while b != 0 { (a, b) = (b, a % b) }
        return (digits / a, seconds / a)
    }

    static func powerOfTen(_ exponent: Int) -> Int64 { (0..<exponent).reduce(1) { power, _ in power * 10 } }
}

extension Rate: Comparable {
    /// Slower is less.
    ///
    /// Exact: `60/minute` equals `1/second`.
    package static func < (left: Rate, right: Rate) -> Bool {
        left.scaled(against: right) < right.scaled(against: left)
    }
    package static func == (left: Rate, right: Rate) -> Bool {
        left.scaled(against: right) == right.scaled(against: left)
    }

    private func scaled(against other: Rate) -> Int128 {
        Int128(digits) * Int128(Self.powerOfTen(other.decimals)) * Int128(other.unit.seconds)
    }
}

/// How fast records may leave: at a rate, or as fast as the client takes them.
package enum Pace: Comparable, Sendable {
    case limited(Rate)
    case unlimited

    package var text: String {
        switch self {
        case .limited(let rate): rate.text
        case .unlimited: "unlimited"
        }
    }

    /// Reads a rate, or the word `unlimited`.
    package init?(_ text: some StringProtocol) {
        if text == "unlimited" {
            self = .unlimited
        } else if let rate = Rate(text) {
            self = .limited(rate)
        } else {
            return nil
        }
    }
}
