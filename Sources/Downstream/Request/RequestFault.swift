/// Why something that was received is no request: the connection closes after the answer.
package enum RequestFault: Error, Equatable, Sendable {
    /// It is malformed by RFC 9112 or RFC 9113.
    case malformed
    /// The head, or the trailer section, is larger than the limit.
    case headTooLarge
    /// It has more fields than ``Request/mostFields``.
    case tooManyFields
    /// The head did not arrive in time.
    case headTooSlow
}
