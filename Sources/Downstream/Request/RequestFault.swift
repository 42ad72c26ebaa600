/// A request that cannot be answered as such: the connection closes after the answer.
package enum RequestFault: Error, Equatable, Sendable {
    /// RFC 9112 calls it malformed.
    case malformed
    /// The head, or the trailer section, is larger than the limit.
    case headTooLarge
    /// It has more fields than this limit.
    case tooManyFields(limit: Int)
    /// The head did not arrive in time.
    case headTooSlow
}
