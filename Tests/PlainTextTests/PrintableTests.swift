import Testing

@testable import PlainText

@Suite struct PrintableTests {
    @Test(arguments: [
        (0, "0"), (999, "999"), (1000, "1,000"), (9_999_999, "9,999,999"), (10_000_000, "10.0M"),
        (999_900_000, "1.00G"), (12_340_000_000, "12.3G"), (Int.max, "9.22E"),
    ])
    func counts(count: Int, text: String) { #expect(Printable.count(count) == text) }

    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (10_235, "10.0 KiB"), (1_048_575, "1.00 MiB"),
        (107_374_182_400, "100 GiB"), (Int.max, "8.00 EiB"),
    ])
    func bytes(bytes: Int, text: String) { #expect(Printable.bytes(bytes) == text) }

    @Test(arguments: [
        (0, "0s"), (1, "1us"), (999, "999us"), (1000, "1.00ms"), (999_499, "999ms"), (999_500, "1.00s"),
        (9_994_000, "9.99s"), (9_996_000, "10.0s"), (99_949_999, "99.9s"), (99_950_000, "1m40s"),
        (119_600_000, "2m00s"), (3_599_400_000, "59m59s"), (3_599_600_000, "1h00m"), (86_340_000_000, "23h59m"),
        (86_399_000_000, "1d00h"), (1_000_000_000_000_000, "11574d02h"),
    ])
    func durations(microseconds: Int, text: String) { #expect(Printable.duration(microseconds) == text) }

    @Test func aDurationThatIsNoneIsADash() { #expect(Printable.duration(nil) == "-") }

    @Test(arguments: [(0, "0.00"), (9.994, "9.99"), (9.996, "10.0"), (99.96, "100"), (1234.5, "1,235"), (2e7, "20.0M")])
    func rates(rate: Double, text: String) { #expect(Printable.rate(rate) == text) }

    @Test(arguments: [-1, -1e300, 1e300, .infinity, .nan] as [Double])
    func whatIsNoRateIsADash(rate: Double) { #expect(Printable.rate(rate) == "-") }

    @Test(arguments: [
        ("", "\"\""), ("/v1 ~", "/v1 ~"), ("\u{7f}\t", #"\u{7f}\u{9}"#), (#"\"#, #"\\"#), ("é", #"\u{e9}"#),
    ])
    func names(name: String, text: String) { #expect(Printable.name(name) == text) }
}
