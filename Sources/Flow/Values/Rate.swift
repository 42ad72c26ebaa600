/// A finite pace in records per unit of time, kept as it was written so that it is reported exactly.
///
/// The text form is the contract's: a number, `/`, a unit. `Rate("2.50/m")` has the text `2.5/minute`.
package struct Rate: Sendable {
    /// The unit of time of a rate.
    package enum Unit: String, Sendable, CaseIterable {
        case second, minute, hour
        /// Only of a budget: no stream has a pace per day, and no header names it.
        case day

        /// The unit in seconds.
        package var seconds: Int64 {
            switch self {
            case .second: 1
            case .minute: 60
            case .hour: 3600
            case .day: 86_400
            }
        }

        /// The unit of a word: its long form or a short form of the contract (`s`, `sec`, `m`, `min`, `h`).
        init?(word: Substring, allowsDay: Bool) {
            switch word {
            case "second", "sec", "s": self = .second
            case "minute", "min", "m": self = .minute
            case "hour", "h": self = .hour
            case "day", "d":
                guard allowsDay else { return nil }
                self = .day
            default: return nil
            }
        }
    }

    /// The number before the unit is `digits / 10^decimals`, without trailing zeros.
    package let digits: Int64
    package let decimals: Int
    package let unit: Unit

    /// The limits of the number: 9 digits before the point and 6 after it, so that no product below overflows.
    private static let maximumWhole: Int64 = 999_999_999, maximumDecimals = 6

    /// A whole number of records in each unit of time; `nil` unless it is from 1 to 999,999,999.
    package init?(_ count: Int, per unit: Unit) {
        guard (1...Self.maximumWhole).contains(Int64(count)) else { return nil }
        (digits, decimals, self.unit) = (Int64(count), 0, unit)
    }

    /// A number of millionths of a record in each unit of time; `nil` unless it is a rate of at most
    /// 999,999,999.999999.
    init?(millionths: Int64, per unit: Unit) {
        let scale = Self.powerOfTen(Self.maximumDecimals)
        guard millionths > 0, millionths / scale <= Self.maximumWhole else { return nil }
        var (digits, decimals) = (millionths, Self.maximumDecimals)
        while decimals > 0, digits % 10 == 0 { (digits, decimals) = (digits / 10, decimals - 1) }
        (self.digits, self.decimals, self.unit) = (digits, decimals, unit)
    }

    /// Reads `10/second`, `0.5/hour`, `2.5/m`; `nil` for anything else, also for zero, signs and exponents.
    ///
    /// A number without an exact form (at most 999,999,999, with 6 decimals) is `nil` as well.
    package init?(_ text: some StringProtocol) {
        guard let (number, unit) = Self.parts(of: Substring(text)), number.isExact else { return nil }
        (digits, decimals, self.unit) = (number.digits, number.decimals, unit)
    }

    /// Reads the rate of a budget, which may be per day: `100000/day`.
    package init?(budget text: some StringProtocol) {
        guard let (number, unit) = Self.parts(of: Substring(text), allowsDay: true), number.isExact else { return nil }
        // 86,400 s with 6 decimals would overflow ``spacing``.
        guard unit != .day || number.decimals < Self.maximumDecimals else { return nil }
        (digits, decimals, self.unit) = (number.digits, number.decimals, unit)
    }

    /// Reads a rate whose number may have any length; further decimals are dropped, and the maximum is 999,999,999.
    ///
    /// A client may write a third as `0.3333333333/second`. Only zero is zero: the minimum is 0.000001.
    package init?(roundingDown text: some StringProtocol) {
        guard let (number, unit) = Self.parts(of: Substring(text)) else { return nil }
        (digits, decimals, self.unit) = (number.digits, number.decimals, unit)
    }

    private static func parts(of text: Substring, allowsDay: Bool = false) -> (number: Number, unit: Unit)? {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")),
            let number = Number(text[..<slash].utf8),
            let unit = Unit(word: text[text.utf8.index(after: slash)...], allowsDay: allowsDay)
        else { return nil }
        return (number, unit)
    }

    /// The canonical text: no unnecessary zeros, the unit's long form.
    package var text: String {
        let scale = Self.powerOfTen(decimals)
        let (whole, rest) = digits.quotientAndRemainder(dividingBy: scale)
        guard decimals > 0 else { return "\(whole)/\(unit.rawValue)" }
        let fraction = String(rest)
        return "\(whole).\(String(repeating: "0", count: decimals - fraction.utf8.count))\(fraction)/\(unit.rawValue)"
    }

    /// The time from one record to the next in nanoseconds, rounded to the nearest, at least 1.
    package var spacing: Int64 {
        // At most 86,400e9 * 1e5 = 8.6e18, below Int64.max.
        let period = unit.seconds * 1_000_000_000 * Self.powerOfTen(decimals)
        return max(1, (period + digits / 2) / digits)
    }

    /// The rate in records per second, as a fraction.
    package var recordsPerSecond: Double {
        Double(digits) / Double(Self.powerOfTen(decimals)) / Double(unit.seconds)
    }

    /// The rate as whole records in whole seconds, in lowest terms: `q` and `w` of a RateLimit policy.
    package var quota: (records: Int64, seconds: Int64) {
        let seconds = unit.seconds * Self.powerOfTen(decimals)
        var (a, b) = (digits, seconds)
        while b != 0 { (a, b) = (b, a % b) }
        return (digits / a, seconds / a)
    }

    static func powerOfTen(_ exponent: Int) -> Int64 { (0..<exponent).reduce(1) { power, _ in power * 10 } }
}

extension Rate {
    /// A number above zero, read digit by digit.
    private struct Number {
        private(set) var digits: Int64 = 0
        private(set) var decimals = 0
        /// Whether `digits` and `decimals` are the exact value of the text.
        private(set) var isExact = true

        init?(_ text: Substring.UTF8View) {
            var hasPoint = false, isAfterDigit = false, isPositive = false
            for byte in text {
                switch byte {
                case UInt8(ascii: "."):
                    guard isAfterDigit, !hasPoint else { return nil }
                    (hasPoint, isAfterDigit) = (true, false)
                case UInt8(ascii: "0")...UInt8(ascii: "9"):
                    let digit = Int64(byte - UInt8(ascii: "0"))
                    isAfterDigit = true
                    isPositive = isPositive || digit > 0
                    if hasPoint { appendDecimal(digit) } else { appendWhole(digit) }
                default: return nil
                }
            }
            guard isAfterDigit, isPositive else { return nil }
            if digits == 0 { (digits, decimals) = (1, maximumDecimals) }
            while decimals > 0, digits % 10 == 0 { (digits, decimals) = (digits / 10, decimals - 1) }
        }

        private mutating func appendWhole(_ digit: Int64) {
            guard digits * 10 + digit <= maximumWhole else {
                (digits, isExact) = (maximumWhole, false)
                return
            }
            digits = digits * 10 + digit
        }

        private mutating func appendDecimal(_ digit: Int64) {
            guard isExact, decimals < maximumDecimals else {
                isExact = isExact && digit == 0
                return
            }
            (digits, decimals) = (digits * 10 + digit, decimals + 1)
        }
    }
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
