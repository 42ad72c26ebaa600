import Flow

/// The live view as a page: one document with its style and its script, that asks `/v1/admin/` for all it shows.
///
/// Nothing that it names lies elsewhere, and the policy that goes with it lets nothing else run: what a client could put
/// into a path or an address stays text even if the page had a mistake.
struct LivePage {
    /// Sources/Proxy/Resources/live.html, where it is cut to take the nonce in.
    private static let parts = String(decoding: PackageResources.live_html, as: UTF8.self)
        .split(separator: "{{nonce}}", omittingEmptySubsequences: false)

    let html: String
    /// The `Content-Security-Policy` (https://www.w3.org/TR/CSP3/) of this answer alone.
    let policy: String

    /// - Parameter generator: Must be cryptographically secure: who guesses the nonce could get a script past the policy.
    init(using generator: inout some RandomNumberGenerator) {
        let nonce = StreamId(using: &generator).text
        html = Self.parts.joined(separator: nonce)
        policy = """
            default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; connect-src 'self'; \
            img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
            require-trusted-types-for 'script'; trusted-types 'none'
            """
    }
}
