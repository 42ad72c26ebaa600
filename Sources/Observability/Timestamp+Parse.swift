extension Timestamp {
    /// Reads a date and time of RFC 3339 (`2026-02-28T09:05:03.007Z`, `2026-02-28 10:05:03+01:00`).
    ///
    /// Any number of decimals is allowed and truncated to the millisecond; a leap second counts as the second before
    /// it.
    ///
    /// - Returns: `nil` for anything else, and for a day that its month does not have.
    package init?(rfc3339 text: UnsafeRawBufferPointer) {
        guard text.count >= 20, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(text[10]),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let year = text.number(at: 0, digits: 4), let month = text.number(at: 5), let day = text.number(at: 8),
            let hour = text.number(at: 11), let minute = text.number(at: 14), let second = text.number(at: 17),
            (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var index = 19
        let milliseconds = text.milliseconds(at: &index)
        guard let milliseconds, let offset = text.offsetInMinutes(at: index) else { return nil }
        let minutes = (Self.daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offset
        self.init(millisecondsSince1970: (minutes * 60 + min(second, 59)) * 1000 + milliseconds)
    }

    /// Reads the same from a string.
    package init?(rfc3339 text: String) {
        var text = text
        guard let parsed = text.withUTF8({ Timestamp(rfc3339: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = parsed
    }

    static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The days since 1970-01-01, in years that begin on 1 March, so that the leap day is the last of its year.
    static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        // -1 is the only year below zero: January and February of the year 0.
        let era = year < 0 ? -1 : year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension UnsafeRawBufferPointer {
    /// The number of this many digits; `nil` if there are other bytes, or fewer.
    fileprivate func number(at start: Int, digits: Int = 2) -> Int64? {
        guard start + digits <= count else { return nil }
        var number: Int64 = 0
        for index in start..<start + digits {
            guard self[index].isDigit else { return nil }
            number = number * 10 + Int64(self[index] - UInt8(ascii: "0"))
        }
        return number
    }

    /// The decimals of a second, if there are any; moves `index` after them.
    fileprivate func milliseconds(at index: inout Int) -> Int64? {
        guard index < count, self[index] == UInt8(ascii: ".") else { return 0 }
        var milliseconds: Int64 = 0, scale: Int64 = 100
        let first = index + 1
        index = first
        while index < count, self[index].isDigit {
            milliseconds += Int64(self[index] - UInt8(ascii: "0")) * scale
            scale /= 10
            index += 1
        }
        return index > first ? milliseconds : nil
    }

    /// The offset from UTC at the end of the text.
    fileprivate func offsetInMinutes(at index: Int) -> Int64? {
        guard index < count else { return nil }
        if self[index] | 0x20 == UInt8(ascii: "z") { return index + 1 == count ? 0 : nil }
        let sign: Int64
        switch self[index] {
        case UInt8(ascii: "+"): sign = 1
        case UInt8(ascii: "-"): sign = -1
        default: return nil
        }
        guard index + 6 == count, self[index + 3] == UInt8(ascii: ":"), let hours = number(at: index + 1),
            let minutes = number(at: index + 4), hours < 24, minutes < 60
        else { return nil }
        return sign * (hours * 60 + minutes)
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
