import Observability
import Testing

@Suite struct TimestampTests {
    static let known: [(Int64, String)] = [
        (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"), (1_709_210_096_007, "2024-02-29T12:34:56.007Z"),
        (1_767_225_599_000, "2025-12-31T23:59:59.000Z"), (1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (4_107_456_000_000, "2100-02-28T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
    ]

    @Test(arguments: known)
    func hasTheTextOfRFC3339(milliseconds: Int64, text: String) {
        #expect(Timestamp(millisecondsSince1970: milliseconds).rfc3339 == text)
    }

    /// Counts the days of 1,200 years one by one.
    @Test func everyDayFollowsTheOneBefore() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var (year, month, day) = (1970, 1, 1)
        for number in 0..<Int64(1200 * 365) {
            let text = Timestamp(millisecondsSince1970: number * 86_400_000).rfc3339
            let expected = "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)T00:00:00.000Z"
            guard text == expected else {
                Issue.record("day \(number) is \(expected), not \(text)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            if day > lengths[month - 1] + (month == 2 && isLeap ? 1 : 0) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }

    @Test func hasTheTextOfTheCombinedLogFormat() {
        #expect(Timestamp(millisecondsSince1970: 971_211_336_500).commonLogFormat == "10/Oct/2000:20:55:36 +0000")
        #expect(Timestamp(millisecondsSince1970: 1_767_225_600_000).commonLogFormat == "01/Jan/2026:00:00:00 +0000")
    }

    @Test func nowAdvances() {
        let first = Timestamp.now(), second = Timestamp.now()
        #expect(first.millisecondsSince1970 > 1_700_000_000_000)
        #expect(second.millisecondsSince1970 >= first.millisecondsSince1970)
    }
}
