import Observability
import Testing

@testable import Proxy

@Suite struct HTTPDateTests {
    private func text(_ seconds: Int64) -> String {
        HTTPDate().text(at: Timestamp(millisecondsSince1970: seconds * 1000))
    }

    /// The first is the example of RFC 9110, section 5.6.7.
    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"),
    ]) func writesTheFixedForm(seconds: Int64, expected: String) { #expect(text(seconds) == expected) }

    @Test func aTextIsMadeOnceASecondAndNotKeptLonger() {
        let date = HTTPDate()
        let texts = [999, 0, 1000, 1999, 2000, 0].map { date.text(at: Timestamp(millisecondsSince1970: $0)) }
        #expect(texts.map { $0.suffix(6) } == ["00 GMT", "00 GMT", "01 GMT", "01 GMT", "02 GMT", "00 GMT"])
    }
}
