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
}
