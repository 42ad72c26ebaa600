import Flow
import Testing

@Suite struct StreamPreferencesTests {
    @Test func withoutHeadersThereIsNoPreference() throws {
        #expect(try StreamPreferences(bufferSize: [], rateLimit: []) == StreamPreferences())
    }

    @Test(arguments: [("1", 1), ("100", 100), ("007", 7), ("999999999", 999_999_999), (" 5\t", 5), ("\t 12 ", 12)])
    func readsABufferSize(text: String, records: Int) throws {
        #expect(try StreamPreferences(bufferSize: [text], rateLimit: []).buffer == records)
    }

    @Test(arguments: [
        "", " ", "0", "000000000", "1000000000", "0000000001", "-1", "+1", "1.5", "1e3", "1 2", "5,6", "0x10", "ten",
        "١٢", "1\u{301}", "1\0", "\u{a0}1",
    ])
    func refusesAMalformedBufferSize(text: String) {
        #expect(throws: malformed("X-Stream-Buffer-Size", "must be a whole number from 1 to 999999999")) {
            try StreamPreferences(bufferSize: [text], rateLimit: [])
        }
    }

    @Test(arguments: [
        ("10/second", "10/second"), (" 2.50/m ", "2.5/minute"), ("0.3333333333/s", "0.333333/second"),
        ("0.00000001/h", "0.000001/hour"), ("12345678901234567890/s", "999999999/second"),
    ])
    func readsARateAndRoundsItDown(text: String, canonical: String) throws {
        #expect(try StreamPreferences(bufferSize: [], rateLimit: [text]).rate?.text == canonical)
    }

    @Test(arguments: [
        "", "10", "/second", "10/", "0/second", "0.0/s", "-1/s", "+1/s", "1e3/s", ".5/s", "5./s", "1.2.3/s", "1,5/s",
        "10/Second", "10/seconds", "10/day", "10 /second", "10/ second", "10/second, 5/second", "10/second/2",
        "unlimited", "inf/s", "nan/s", "١٢/s", "10/s\0",
    ])
    func refusesAMalformedRate(text: String) {
        let reason = "must be a number above 0, a slash, and second, minute or hour"
        #expect(throws: malformed("X-Stream-Rate-Limit", reason)) {
            try StreamPreferences(bufferSize: [], rateLimit: [text])
        }
    }

    @Test func aRepeatedHeaderIsMalformedThoughItsValuesAgree() {
        #expect(throws: malformed("X-Stream-Buffer-Size", "must not be sent more than once")) {
            try StreamPreferences(bufferSize: ["5", "5"], rateLimit: [])
        }
        #expect(throws: malformed("X-Stream-Rate-Limit", "must not be sent more than once")) {
            try StreamPreferences(bufferSize: [], rateLimit: ["1/s", "1/s"])
        }
    }

    @Test func lenientlyAMalformedHeaderIsAsIfNotSentAndTheOtherCounts() throws {
        #expect(
            try StreamPreferences(bufferSize: ["x"], rateLimit: ["1/s"], strictness: .lenient)
                == StreamPreferences(rate: .of("1/s")))
        #expect(
            try StreamPreferences(bufferSize: ["5"], rateLimit: ["1/s", "2/s"], strictness: .lenient)
                == StreamPreferences(buffer: 5))
    }

    private func malformed(_ header: String, _ reason: String) -> NegotiationError {
        .malformed(header: header, reason: reason)
    }
}
