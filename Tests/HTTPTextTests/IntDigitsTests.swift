import Testing

@testable import HTTPText

struct IntDigitsTests {
    @Test(arguments: [("0", 0), ("5", 5), ("035", 35), ("999999999999999999", 999_999_999_999_999_999)])
    func digitsAreANumber(text: String, number: Int) { #expect(Int(digits: text.utf8) == number) }

    @Test(arguments: [
        "", " 5", "5 ", "+5", "-5", "5.0", "0x5", "5,5", "5 5", "five", "9999999999999999999", "\u{0665}", "5\u{0}",
    ]) func anythingElseIsNone(text: String) { #expect(Int(digits: text.utf8) == nil) }
}
