#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A point on the wall clock, to the millisecond, for display; nothing is measured with it.
package struct Timestamp: Equatable, Sendable {
    package let millisecondsSince1970: Int64

    package init(millisecondsSince1970: Int64) { self.millisecondsSince1970 = millisecondsSince1970 }

    /// The current time of `CLOCK_REALTIME`.
    package static func now() -> Timestamp {
        Timestamp(millisecondsSince1970: nanosecondsSince1970() / 1_000_000)
    }

    /// The current time of `CLOCK_REALTIME`, to the nanosecond.
    package static func nanosecondsSince1970() -> Int64 {
        var time = timespec()
        // It cannot fail: the clock exists and the pointer is valid.
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// As `2026-02-28T09:05:03.007Z` (RFC 3339, in UTC).
    package var rfc3339: String {
        let (year, month, day, hour, minute, second) = civil
        let millisecond = Self.floorDivide(millisecondsSince1970, by: 1000).rest
        return "\(padded(year, to: 4))-\(padded(month))-\(padded(day))"
            + "T\(padded(hour)):\(padded(minute)):\(padded(second)).\(padded(millisecond, to: 3))Z"
    }

    /// As `28/Feb/2026:09:05:03 +0000`, in the form of the combined log format, in UTC.
    package var commonLogFormat: String {
        let (year, month, day, hour, minute, second) = civil
        return "\(padded(day))/\(Self.months[Int(month) - 1])/\(padded(year, to: 4))"
            + ":\(padded(hour)):\(padded(minute)):\(padded(second)) +0000"
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The date and time in UTC, in the proleptic Gregorian calendar.
    ///
    /// Counts in years that begin on 1 March, so that the leap day is the last, and in eras of 400 years, which all have
    /// 146,097 days. The five-month pattern 31 30 31 30 31 makes the 153.
    private var civil: (year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64) {
        let (seconds, _) = Self.floorDivide(millisecondsSince1970, by: 1000)
        let (days, secondOfDay) = Self.floorDivide(seconds, by: 86_400)
        // 1970-01-01 is day 719,468 after 0000-03-01.
        let (era, dayOfEra) = Self.floorDivide(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (
            year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * monthFromMarch + 2) / 5 + 1,
            hour: secondOfDay / 3600, minute: secondOfDay / 60 % 60, second: secondOfDay % 60
        )
    }

    /// Division whose rest is never negative, for times before 1970.
    private static func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
    }

    private func padded(_ value: Int64, to width: Int = 2) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
