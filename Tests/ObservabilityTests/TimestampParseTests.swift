import Observability
import Testing

@Suite struct TimestampParseTests {
    @Test(arguments: TimestampTests.known)
    func readsWhatItWrites(milliseconds: Int64, text: String) {
        #expect(Timestamp(rfc3339: text)?.millisecondsSince1970 == milliseconds)
    }

    /// A day and a bit more from the year 0 on, so that every date and time of day comes.
    @Test func readsEveryDayOf1200Years() {
        for day in 0..<(1200 * 366) {
            let written = Timestamp(millisecondsSince1970: -62_167_219_200_000 + Int64(day) * 86_461_007)
            #expect(Timestamp(rfc3339: written.rfc3339) == written)
        }
    }

    @Test(arguments: [
        ("2024-02-29T12:34:56Z", 1_709_210_096_000), ("2024-02-29t12:34:56.1z", 1_709_210_096_100),
        ("2024-02-29 12:34:56.007999Z", 1_709_210_096_007), ("2024-02-29T13:34:56+01:00", 1_709_210_096_000),
        ("2024-02-29T07:04:56-05:30", 1_709_210_096_000), ("2016-12-31T23:59:60Z", 1_483_228_799_000),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000), ("0000-02-29T00:00:00Z", -62_162_121_600_000),
    ])
    func readsTheFormsOfRFC3339(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.millisecondsSince1970 == milliseconds)
    }

    @Test(arguments: [
        "", "2024-02-29", "2024-02-29T12:34:56", "2024-02-30T12:34:56Z", "2023-02-29T12:34:56Z", "1900-02-29T12:34:56Z",
        "2024-13-01T12:34:56Z", "2024-00-01T12:34:56Z", "2024-01-00T12:34:56Z", "2024-04-31T12:34:56Z",
        "2024-01-01T24:00:00Z", "2024-01-01T12:60:00Z", "2024-01-01T12:00:61Z", "2024-01-01T12:00:00.Z",
        "2024-01-01T12:00:00Zx", "2024-01-01T12:00:00+01", "2024-01-01T12:00:00+0100", "2024-01-01T12:00:00+24:00",
        "2024-01-01T12:00:00 01:00", "2024-01-01T12:00:00.5", "2024/01/01T12:00:00Z", "2024-01-01T12-00-00Z",
        "+024-01-01T12:00:00Z", "2024-01-01T12:00:00+01:000",
    ])
    func otherTextIsNoTime(text: String) { #expect(Timestamp(rfc3339: text) == nil) }
}
