extension Timestamp {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Reads a date of HTTP in any of its three forms (RFC 9110, section 5.6.7).
    ///
    /// `nil` for anything else, and for a day that its month does not have. The day of the week is not checked.
    ///
    /// - Parameters:
    ///   - text: Such as `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
    ///   - now: By which the century of a year of two digits is found: it is at most 50 years later.
    package init?(httpDate text: String, at now: Timestamp) {
        let words = text.split { $0 == " " || $0 == "-" || $0 == "," }
        let day, month, year, time: Substring
        switch words.count {
        case 6 where words[5] == "GMT": (day, month, year, time) = (words[1], words[2], words[3], words[4])
        case 5: (month, day, time, year) = (words[1], words[2], words[3], words[4])
        default: return nil
        }
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { Self.number($0) }
        guard day.utf8.count <= 2, let day = Self.number(day), let month = Self.months.firstIndex(of: String(month)),
            let year = Self.year(year, at: now), clock.count == 3, let hour = clock[0], let minute = clock[1],
            let second = clock[2], hour < 24, minute < 60, second <= 60,
            (1...Self.days(in: Int64(month) + 1, of: year)).contains(Int64(day))
        else { return nil }
        let days = Self.daysSince1970(year, Int64(month) + 1, Int64(day))
        let seconds = (days * 24 + Int64(hour)) * 3600 + Int64(minute * 60 + min(second, 59))
        self.init(millisecondsSince1970: seconds * 1000)
    }

    private static func year(_ text: Substring, at now: Timestamp) -> Int64? {
        guard let year = number(text).map(Int64.init) else { return nil }
        switch text.utf8.count {
        case 4: return year
        case 2:
            let current = Int64(now.rfc3339.prefix(4)) ?? 1970
            let near = current - current % 100 + year
            return near > current + 50 ? near - 100 : near
        default: return nil
        }
    }

    /// A number of at most four digits.
    private static func number(_ text: Substring) -> Int? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return (1...4).contains(text.utf8.count) && text.utf8.allSatisfy(digits.contains) ? Int(text) : nil
    }
}
