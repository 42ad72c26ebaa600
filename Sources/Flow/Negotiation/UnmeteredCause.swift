/// The reason for which a response passes without its rate.
package enum UnmeteredCause: String, Equatable, Sendable, CaseIterable {
    /// A content coding hides its records.
    case contentEncoding = "content_encoding"
    /// Its type is not a stream's.
    case contentType = "content_type"
}
