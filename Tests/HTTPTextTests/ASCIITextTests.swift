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
        ] as [(Substring, [Substring])]) func aListIsSplitOutsideOfQuotes(text: Substring, parts: [Substring])
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
        ] as [(Substring, String?)]) func aQuotedStringHasTheTextInsideIt(text: Substring, value: String?)
    {
        #expect(text.unquoted == value)
    }
}
