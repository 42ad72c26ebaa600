/// The live view as a page: one document with its style and its script, which requests all its data from `/v1/admin/`.
///
/// It loads nothing else, and its policy allows nothing else to run: text of a client in a path or an address would remain
/// text even if the page had an error.
struct LivePage {
    /// Sources/Admin/Resources: live.html with live.css and live.js inserted at their marks, split at the nonces.
    private static let parts: [Substring] = {
        let document = text(PackageResources.live_html)
            .replacing("{{style}}", with: text(PackageResources.live_css), maxReplacements: 1)
            .replacing("{{script}}", with: text(PackageResources.live_js), maxReplacements: 1)
        return document.split(separator: "{{nonce}}", omittingEmptySubsequences: false)
    }()

    private static func text(_ resource: [UInt8]) -> String { String(decoding: resource, as: UTF8.self) }

    let html: String
    /// The `Content-Security-Policy` (https://www.w3.org/TR/CSP3/) of this response only.
    let policy: String

    /// - Parameter nonce: Used for one response only.
    init(_ nonce: Nonce) {
        html = Self.parts.joined(separator: nonce.text)
        policy = """
            default-src 'none'; script-src 'nonce-\(nonce.text)'; style-src 'nonce-\(nonce.text)'; connect-src 'self'; \
            img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
            require-trusted-types-for 'script'; trusted-types 'none'
            """
    }
}
