import Observability
import Testing

/// RFC 9110, section 5.6.7.
@Suite struct TimestampHTTPDateTests {
    private func read(_ text: String, in year: String = "2026") -> String? {
        Timestamp(rfc3339: "\(year)-11-29T00:00:00Z").flatMap { Timestamp(httpDate: text, at: $0)?.rfc3339 }
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ]) func allFormsAreRead(text: String) { #expect(read(text) == "1994-11-06T08:49:37.000Z") }

    @Test(arguments: [("26", "2026"), ("76", "2076"), ("77", "1977"), ("00", "2000"), ("99", "1999")])
    func aYearOfTwoDigitsIsAtMostFiftyYearsAhead(year: String, expected: String) {
        #expect(read("Monday, 01-Feb-\(year) 00:00:00 GMT")?.prefix(4) == Substring(expected))
    }

    @Test func aLeapDayAndALeapSecondAreRead() {
        #expect(read("Thu, 29 Feb 2024 23:59:60 GMT") == "2024-02-29T23:59:59.000Z")
    }

    @Test(arguments: [
        "", "soon", "7", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 8:+9:37 GMT", "Sun, 006 Nov 1994 08:49:37 GMT",
        "Thu, 29 Feb 2023 00:00:00 GMT", "Sun Nov 6 08:49:37 1994 GMT", "1994-11-06T08:49:37Z",
    ]) func anythingElseIsNot(text: String) { #expect(read(text) == nil) }
}
