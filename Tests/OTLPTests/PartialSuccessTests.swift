import OTLP
import Testing

@Suite struct PartialSuccessTests {
    @Test(arguments: [("3", 3), ("0", 0), ("-2", 0), ("9223372036854775808", 0), ("1.5", 0), ("null", 0)])
    func theNumberIsRead(text: String, expected: Int) {
        #expect(PartialSuccess(rejected: text, message: "old")?.rejected == expected)
        #expect(PartialSuccess(rejected: text, message: nil)?.rejected == (expected > 0 ? expected : nil))
    }

    @Test func withoutANumberAndAMessageEverythingWasAccepted() {
        #expect(PartialSuccess(rejected: nil, message: nil) == nil && PartialSuccess(rejected: "0", message: "") == nil)
    }

    @Test func theMessageIsBounded() {
        let partial = PartialSuccess(rejected: nil, message: String(repeating: "x", count: 1000))
        #expect(partial?.message.count == PartialSuccess.longestMessage)
    }
}
