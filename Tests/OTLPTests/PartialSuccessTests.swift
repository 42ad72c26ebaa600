import OTLP
import Testing

@Suite struct PartialSuccessTests {
    @Test(arguments: [("3", 3), ("9223372036854775807", .max)])
    func theNumberIsRead(text: String, expected: Int) {
        #expect(PartialSuccess(rejected: text, message: "old")?.rejected == expected)
        #expect(PartialSuccess(rejected: text, message: nil)?.rejected == expected)
    }

    @Test(arguments: ["-2", "9223372036854775808", "1.5", "", "true", "many"])
    func whatIsNoNumberDoesNotCountAsNothing(text: String) throws {
        #expect(try #require(PartialSuccess(rejected: text, message: "old")).rejected == nil)
        #expect(try #require(PartialSuccess(rejected: text, message: nil)).rejected == nil)
    }

    @Test(arguments: [nil, "0", "null"], [nil, "", "null"])
    func withoutANumberAndAMessageEverythingWasAccepted(rejected: String?, message: String?) {
        #expect(PartialSuccess(rejected: rejected, message: message) == nil)
        #expect(PartialSuccess(rejected: rejected, message: "old")?.rejected == 0)
    }

    @Test func theMessageIsBounded() {
        let partial = PartialSuccess(rejected: nil, message: String(repeating: "x", count: 1000))
        #expect(partial?.message.count == PartialSuccess.longestMessage)
    }
}
