import HTTPText
import NIOHTTP1

/// The target of a request (RFC 9112, section 3.2).
struct RequestTarget {
    /// A path with its query, or `*`: the form in which it is forwarded.
    let text: String
    /// The authority of the absolute form, which replaces `Host`; `nil` for the other forms.
    let authority: (text: Substring, host: Substring)?

    /// Reads the target of a request line, or `:path`, which has no absolute form (RFC 9113, section 8.3.1).
    ///
    /// The scheme of the absolute form is `http` or `https`, in any case, and has no effect.
    ///
    /// - Returns: `nil` for anything else: another scheme, a user, an invalid host, a fragment, a byte that no target has, and
    ///   the form of CONNECT, which weir does not implement.
    init?(_ uri: String, of head: HTTPRequestHead) {
        guard uri.utf8.allSatisfy(\.isTargetByte) else { return nil }
        if uri.utf8.first == UInt8(ascii: "/") || (uri == "*" && head.method == .OPTIONS) {
            (text, authority) = (uri, nil)
            return
        }
        guard head.version != .http2, let rest = Self.withoutScheme(uri) else { return nil }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard let host = Authority(authority)?.host else { return nil }
        let path = rest[authority.endIndex...]
        self.authority = (authority, host)
        switch path.utf8.first {
        case UInt8(ascii: "/"): text = String(path)
        // Section 3.2.4: without a path, OPTIONS is for the whole server.
        case nil where head.method == .OPTIONS: text = "*"
        default: text = "/" + path
        }
    }

    private static func withoutScheme(_ uri: String) -> Substring? {
        guard let colon = uri.utf8.firstIndex(of: UInt8(ascii: ":")),
            uri[..<colon].isCaseInsensitively("http") || uri[..<colon].isCaseInsensitively("https"),
            uri[colon...].hasPrefix("://")
        else { return nil }
        return uri[colon...].dropFirst(3)
    }
}
