import HTTPText
import Testing

@Suite struct MethodSemanticsTests {
    @Test(arguments: [
        "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PROPPATCH", "REPORT", "SEARCH", "QUERY",
    ])
    func theseMayBeRepeated(method: String) { #expect(MethodSemantics.isIdempotent(method)) }

    @Test(arguments: ["POST", "PATCH", "CONNECT", "MOVE", "get", "BREW", ""])
    func othersMayNot(method: String) { #expect(!MethodSemantics.isIdempotent(method)) }

    @Test func someMethodsHaveContent() {
        #expect(["POST", "PUT", "PATCH", "QUERY"].allSatisfy(MethodSemantics.anticipatesContent))
        #expect(!["GET", "HEAD", "DELETE", "OPTIONS", "post"].contains(where: MethodSemantics.anticipatesContent))
    }
}
