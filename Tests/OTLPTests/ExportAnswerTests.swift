import Flow
import OTLP
import Observability
import Testing

@Suite struct ExportAnswerTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT.
    private let now = Timestamp(millisecondsSince1970: 784_111_777_000)

    @Test(arguments: [200, 202, 204]) func successIsAccepted(status: Int) {
        #expect(ExportAnswer(status: status, at: now) == .accepted)
    }

    @Test(arguments: [429, 502, 503, 504]) func theseMayBeAcceptedLater(status: Int) {
        #expect(ExportAnswer(status: status, retryAfter: ["7"], at: now) == .retryable(after: .seconds(7)))
        #expect(ExportAnswer(status: status, at: now) == .retryable(after: nil))
    }

    @Test(arguments: [301, 400, 401, 404, 413, 500, 501]) func othersAreRejected(status: Int) {
        #expect(ExportAnswer(status: status, retryAfter: ["7"], at: now) == .rejected)
    }

    @Test(arguments: [["-1"], ["1.5"], ["+5"], [""], ["soon"], ["1", "2"], ["Sun, 06 Nov 1994"]])
    func aDelayThatIsNeitherANumberNorADateIsIgnored(values: [String]) {
        #expect(ExportAnswer(status: 429, retryAfter: values, at: now) == .retryable(after: nil))
    }

    @Test(arguments: ["301", "99999999999", "99999999999999999999999"]) func aDelayIsBounded(text: String) {
        #expect(ExportAnswer(status: 503, retryAfter: [text], at: now) == .retryable(after: ExportAnswer.longestDelay))
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:44 GMT", 7), ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sun, 06 Nov 1994 08:49:00 GMT", 0),
        ("Sun, 06 Nov 1994 09:49:37 GMT", 300),
    ]) func aDateIsADelay(date: String, seconds: Int) {
        #expect(ExportAnswer(status: 429, retryAfter: [date], at: now) == .retryable(after: .seconds(seconds)))
    }
}
