/// The reason for which a negotiation failed.
package enum NegotiationError: Error, Equatable, Sendable {
    /// The header's value does not match its grammar, or the header was sent more than once.
    ///
    /// `reason` completes a sentence that begins with the header's name, and contains nothing that the client sent.
    case malformed(header: String, reason: String)
    /// The client requests more than the route's maximum, and the route rejects that.
    case aboveMaximum(header: String, maximum: String)
}
