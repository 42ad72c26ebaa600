/// The semantics of methods (RFC 9110, section 9.2; IANA, Hypertext Transfer Protocol Method Registry).
///
/// Names are case-sensitive. A method that is not listed here has none of these properties.
package enum MethodSemantics {
    /// Whether two equal requests have the effect of one, so that a request may be sent again if its response was lost.
    ///
    /// Of WebDAV's methods that change a resource, which the registry calls idempotent as well, only PROPPATCH is
    /// listed: for the others (MOVE, UNLOCK …) the second response differs from the first.
    package static func isIdempotent(_ method: String) -> Bool {
        switch method {
        // RFC 9110, section 9.2.2.
        case "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE": true
        // Safe as well: RFC 4918 (9.1), RFC 3253 (3.6), RFC 5323 (2), RFC 10008.
        case "PROPFIND", "REPORT", "SEARCH", "QUERY": true
        // RFC 4918, section 9.2.
        case "PROPPATCH": true
        default: false
        }
    }

    /// Whether the method defines a meaning of content in a request (RFC 9110, section 8.6).
    ///
    /// Then a length of 0 is sent if there is no content, because some servers respond with 411 otherwise.
    package static func anticipatesContent(_ method: String) -> Bool {
        switch method {
        case "POST", "PUT", "PATCH", "QUERY": true
        default: false
        }
    }

    /// The methods of RFC 9110, section 9.3, and PATCH and QUERY.
    package static let standard = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
    ]
}
