import Testing

@testable import HTTPText

struct IntDigitsTests {
    @Test(arguments: [
        ("0", 0), ("5", 5), ("035", 35), ("999999999999999999", 999_999_999_999_999_999),
        ("0000000000000000000000035", 35), ("000000000000000000000000", 0),
        ("0999999999999999999", 999_999_999_999_999_999),
    ])
    func digitsAreANumber(text: String, number: Int) { #expect(Int(digits: text.utf8) == number) }

    @Test(arguments: [
        "", " 5", "5 ", "+5", "-5", "5.0", "0x5", "5,5", "5 5", "five", "1000000000000000000", "9999999999999999999",
        "01000000000000000000", "99999999999999999999999999", "\u{0665}", "5\u{0}",
    ]) func anythingElseIsNone(text: String) { #expect(Int(digits: text.utf8) == nil) }
}
