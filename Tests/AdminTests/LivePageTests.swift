import Testing

@testable import Admin

@Suite struct LivePageTests {
    private var generator = SystemRandomNumberGenerator()

    @Test mutating func scriptsAndStylesHaveTheNonceOfThePolicy() throws {
        let page = LivePage(Nonce(using: &generator))
        let nonce = try #require(page.policy.firstMatch(of: /script-src 'nonce-([0-9a-f]{32})'/)).1
        #expect(page.policy.contains("style-src 'nonce-\(nonce)'"))
        #expect(page.html.contains("<script nonce=\"\(nonce)\">"))
        #expect(page.html.contains("<style nonce=\"\(nonce)\">"))
        #expect(page.html.matches(of: /<(script|style)\b/).count == 2)
        #expect(!page.html.contains("{{"))
    }

    @Test mutating func noTwoAnswersShareANonce() {
        #expect(LivePage(Nonce(using: &generator)).policy != LivePage(Nonce(using: &generator)).policy)
    }

    @Test mutating func namesNoOtherHost() {
        // The name of a vocabulary is not loaded.
        let page = LivePage(Nonce(using: &generator))
        let named = page.html.matches(of: /https?:\/\/[a-z0-9.]+/).map { String($0.output) }
        #expect(Set(named) == ["http://www.w3.org"])
    }
}
