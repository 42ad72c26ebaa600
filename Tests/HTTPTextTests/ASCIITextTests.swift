import Testing

@testable import HTTPText

struct ASCIITextTests {
    @Test(arguments: [
        ("Host", "hOST", true), ("X-A", "x-a", true), ("", "", true), ("Host", "Hosts", false), ("Host", "Post", false),
        // Those next to the letters, and those that differ by the same bit.
        ("x@", "x`", false), ("x[", "x{", false), ("x-", "x\r", false), ("x0", "x\u{10}", false),
    ]) func fieldsAreNamedInAnyCase(one: String, other: String, isSame: Bool) {
        #expect(one.isField(other) == isSame && other.isField(one) == isSame)
    }

    @Test(
        arguments: [
            ("a", ["a"]), ("", [""]), ("a, b", ["a", " b"]), ("a,,b,", ["a", "", "b", ""]),
            ("\"a,b\",c", ["\"a,b\"", "c"]),
            ("\"a\\\",b\",c", ["\"a\\\",b\"", "c"]), ("\\\"a,b\"", ["\\\"a,b\""]),
        ] as [(Substring, [Substring])]) func aListIsCutOutsideOfQuotes(text: Substring, parts: [Substring])
    {
        #expect(text.parts(separatedBy: ",") == parts)
    }

    @Test(arguments: ["\"", "a,\"b", "\"a\\\"", "\"a\"\"", "a\"b,c"]) func anOpenQuoteMakesNoList(text: Substring) {
        #expect(text.parts(separatedBy: ",") == nil)
    }

    @Test(
        arguments: [
            ("a", "a"), ("", ""), ("\"a b\"", "a b"), ("\"\"", ""), ("\"a\\\"\\\\b\"", "a\"\\b"), ("\"", nil),
            ("a\"b\"", nil), ("\"a\"b", nil),
            ("\"a\"b\"", nil), ("\"a\\\"", nil),
        ] as [(Substring, String?)]) func aQuotedStringStandsForItsText(text: Substring, value: String?)
    {
        #expect(text.unquoted == value)
    }

    @Test(arguments: [("0", 0), ("035", 35), ("999999999999999999", 999_999_999_999_999_999)])
    func digitsAreANumber(text: String, number: Int) { #expect(Int(digits: text.utf8) == number) }

    @Test(arguments: ["", " 1", "1 ", "+1", "-1", "1,1", "0x1", "1_0", "\u{665}", "1000000000000000000"])
    func anythingElseIsNoNumber(text: String) { #expect(Int(digits: text.utf8) == nil) }
}
