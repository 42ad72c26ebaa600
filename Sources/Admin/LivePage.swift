/// The live view as a page: one document with its style and its script, that requests all it shows from `/v1/admin/`.
///
/// It loads nothing else, and its policy lets nothing else run: what a client could put into a path or an address would
/// stay text even if the page had a mistake.
struct LivePage {
    /// Sources/Admin/Resources: live.html with live.css and live.js at their marks, split where the nonce belongs.
    private static let parts: [Substring] = {
        let document = text(PackageResources.live_html)
            .replacing("{{style}}", with: text(PackageResources.live_css), maxReplacements: 1)
            .replacing("{{script}}", with: text(PackageResources.live_js), maxReplacements: 1)
        return document.split(separator: "{{nonce}}", omittingEmptySubsequences: false)
    }()

    private static func text(_ resource: [UInt8]) -> String { String(decoding: resource, as: UTF8.self) }

    let html: String
    /// The `Content-Security-Policy` (https://www.w3.org/TR/CSP3/) of this answer alone.
    let policy: String

    /// - Parameter nonce: Used for one answer only.
    init(_ nonce: Nonce) {
        html = Self.parts.joined(separator: nonce.text)
        policy = """
            default-src 'none'; script-src 'nonce-\(nonce.text)'; style-src 'nonce-\(nonce.text)'; connect-src 'self'; \
            img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
            require-trusted-types-for 'script'; trusted-types 'none'
            """
    }
}
