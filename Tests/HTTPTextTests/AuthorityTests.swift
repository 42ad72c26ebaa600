import HTTPText
import Testing

@Suite struct AuthorityTests {
    @Test(
        arguments: [
            ("example.com", "example.com", nil), ("a:8080", "a", 8080), ("a:", "a", nil), ("a:0", "a", 0),
            ("a:65535", "a", 65535),
            ("[::1]", "::1", nil), ("[2001:DB8::1]:443", "2001:DB8::1", 443), ("[::]:", "::", nil),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("a_b-c.d~e", "a_b-c.d~e", nil), ("a.", "a.", nil), ("%41!$&'()*+;=", "%41!$&'()*+;=", nil),
            ("xn--bcher-kva.example:080", "xn--bcher-kva.example", 80),
        ] as [(String, Substring, Int?)])
    func aHostAndAPortAreRead(text: String, host: Substring, port: Int?) throws {
        let authority = try #require(Authority(text))
        #expect(authority.host == host && authority.port == port)
    }

    @Test(arguments: [
        "", ":80", "a b", " a", "a ", "a/b", "a?b", "a#b", "a\\b", "u@a", "u:p@a", "a,b", "a:b", "a:1:2", "::1", "[::1",
        "::1]",
        "[::1]a", "[::1]:a", "[]", "[a]", "[127.0.0.1]", "[fe80::1%25eth0]", "[v1.a]", "a:65536", "a:-1", "a:+1",
        "a: 1", "a%",
        "a%4", "a%4g", "a\u{1}", "a\u{7f}", "\u{e9}", "\"a\"", "<a>", "a|b", "a^b", "a`b", "{a}",
    ]) func anythingElseIsNone(text: String) { #expect(Authority(text) == nil) }

    @Test func theTextHasBracketsWhereItNeedsThem() {
        #expect(Authority.text(host: "::1", port: 80) == "[::1]:80")
        #expect(Authority.text(host: "a", port: nil) == "a")
    }
}
