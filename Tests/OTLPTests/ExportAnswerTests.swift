import Flow
import OTLP
import Testing

@Suite struct ExportAnswerTests {
    @Test(arguments: [200, 202, 204]) func successIsAccepted(status: Int) {
        #expect(ExportAnswer(status: status) == .accepted)
    }

    @Test(arguments: [429, 502, 503, 504]) func theseMayBeAcceptedLater(status: Int) {
        #expect(ExportAnswer(status: status, retryAfter: ["7"]) == .retryable(after: .seconds(7)))
        #expect(ExportAnswer(status: status) == .retryable(after: nil))
    }

    @Test(arguments: [301, 400, 401, 404, 413, 500, 501]) func othersAreRejected(status: Int) {
        #expect(ExportAnswer(status: status, retryAfter: ["7"]) == .rejected)
    }

    @Test(arguments: [["-1"], ["1.5"], ["+5"], [""], ["soon"], ["1", "2"], ["Wed, 21 Oct 2026 07:28:00 GMT"]])
    func aDelayThatIsNotOneNumberIsIgnored(values: [String]) {
        #expect(ExportAnswer(status: 429, retryAfter: values) == .retryable(after: nil))
    }

    @Test(arguments: ["301", "99999999999", "99999999999999999999999"]) func aDelayIsBounded(text: String) {
        #expect(ExportAnswer(status: 503, retryAfter: [text]) == .retryable(after: ExportAnswer.longestDelay))
    }
}
