import Flow
import TestSupport
import Testing

@Suite struct RateTests {
    @Test(arguments: [
        ("10/second", "10/second"), ("10/s", "10/second"), ("10/sec", "10/second"), ("2.50/m", "2.5/minute"),
        ("7/min", "7/minute"), ("0.000001/h", "0.000001/hour"), ("0010/hour", "10/hour"), ("1.000/s", "1/second"),
        ("10.010/s", "10.01/second"), ("999999999.999999/s", "999999999.999999/second"), ("1.0000000/s", "1/second"),
        ("0000000000007/s", "7/second"), ("100/s", "100/second"),
    ])
    func isWrittenInItsCanonicalForm(written: String, canonical: String) throws {
        #expect(try Rate.of(written).text == canonical)
        #expect(try Rate.of(canonical).text == canonical)
    }

    @Test(arguments: [
        "", "/", "10", "10/", "/s", "0/s", "0.0/s", "00.000/s", ".5/s", "5./s", "1..2/s", "-1/s", "+1/s", " 1/s",
        "1/s ", "1 /s", "1e3/s", "1_000/s", "1/S", "1/days", "1/s/s", "1000000000/s", "1.0000001/s", "0.0000001/s",
        "٣/s", "1\u{301}/s", "1/\u{301}s",
    ])
    func isNotReadFromAnythingElse(text: String) {
        #expect(Rate(text) == nil)
    }

    @Test(arguments: [
        ("0.6666666/s", "0.666666/second"), ("0.0000001/s", "0.000001/second"), ("1000000000/s", "999999999/second"),
        ("99999999999999999999.5/m", "999999999/minute"), ("1.50000001/h", "1.5/hour"), ("3/s", "3/second"),
    ])
    func roundsDownANumberThatIsTooLong(written: String, rounded: String) throws {
        #expect(try #require(Rate(roundingDown: written)).text == rounded)
    }

    @Test(arguments: ["0.00000000/s", "00000000000000/s", "1/d", "x/s", "1.0000000000x/s", "99999999999999x/s"])
    func roundingDownDoesNotMendWhatIsMalformed(text: String) {
        #expect(Rate(roundingDown: text) == nil)
    }

    @Test func isReadFromASubstringWithoutLookingBeyondIt() {
        let text = "a10/secondb"
        #expect(Rate(text.dropFirst().dropLast())?.text == "10/second")
    }

    @Test func isMadeFromAWholeNumber() {
        #expect(Rate(5, per: .minute)?.text == "5/minute")
        #expect(Rate(999_999_999, per: .second)?.text == "999999999/second")
        for count in [0, -1, 1_000_000_000, Int.max, Int.min] { #expect(Rate(count, per: .second) == nil) }
    }

    @Test(arguments: [
        ("1/second", 1_000_000_000), ("3/s", 333_333_333), ("2.5/m", 24_000_000_000), ("1/h", 3_600_000_000_000),
        ("0.000001/h", 3_600_000_000_000_000_000), ("999999999.999999/s", 1),
    ])
    func spacesItsRecordsEvenly(text: String, nanoseconds: Int64) throws {
        #expect(try Rate.of(text).spacing == nanoseconds)
    }

    @Test func comparesExactlyAcrossUnits() throws {
        #expect(try Rate.of("60/minute") == .of("1/second"))
        #expect(try Rate.of("3600/h") == .of("1.0/s"))
        #expect(try Rate.of("0.999999/s") < .of("60/m"))
        #expect(try Rate.of("60.000001/m") > .of("1/s"))
        #expect(try Rate.of("999999999.999999/h") < .of("999999999.999999/s"))
    }

    @Test(arguments: [("10/s", 10, 1), ("2.5/s", 5, 2), ("30/m", 1, 2), ("1/h", 1, 3600), ("0.000001/s", 1, 1_000_000)])
    func hasAQuotaInLowestTerms(text: String, records: Int64, seconds: Int64) throws {
        #expect(try Rate.of(text).quota == (records, seconds))
    }

    @Test func aBudgetMayBePerDayAndAPaceMayNot() throws {
        let budget = try #require(Rate(budget: "100000/d"))
        #expect(budget.text == "100000/day" && budget.spacing == 864_000_000)
        #expect(Rate("100000/day") == nil && Rate(roundingDown: "1/d") == nil)
        #expect(Rate(budget: "0.00001/day")?.spacing == 8_640_000_000_000_000_000)
        #expect(Rate(budget: "0.000001/day") == nil)
        #expect(Rate(budget: "5/second") == Rate("5/second"))
    }

    @Test(arguments: 0..<200) func whatIsWrittenIsReadBack(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let whole = Int64.random(in: 0...999_999_999, using: &random)
        let fraction = Int.random(in: 1...999_999, using: &random)
        let unit = try #require([Rate.Unit.second, .minute, .hour].randomElement(using: &random))
        let padded = String(repeating: "0", count: 6 - "\(fraction)".count) + "\(fraction)"
        let rate = try Rate.of("\(whole).\(padded)/\(unit.rawValue)")
        #expect(try Rate.of(rate.text) == rate)
        let expected = (Double(whole) + Double(fraction) / 1e6) / Double(unit.seconds)
        #expect(abs(rate.recordsPerSecond - expected) <= expected * 1e-12)
    }
}
