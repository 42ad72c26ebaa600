/// Why proxy and client did not come to terms.
package enum NegotiationError: Error, Equatable, Sendable {
    /// The header's value is not in its grammar, or the header was sent more than once.
    ///
    /// `reason` completes a sentence that begins with the header's name, and holds nothing that the client sent.
    case malformed(header: String, reason: String)
    /// The client asks for more than the route's maximum, and the route refuses that.
    case aboveMaximum(header: String, maximum: String)
}
