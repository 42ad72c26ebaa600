/// Which requests are sent to another upstream when an attempt fails before the client was sent anything.
///
/// A request that no upstream has got a part of may always be sent again. Another one may have been acted on (RFC 9110,
/// section 9.2.2): it is repeated if its method is idempotent, or if the operator accepts that an effect occurs twice.
package struct RetryRules: Equatable, Sendable {
    /// The maximum number of upstreams, the first one included.
    package var attempts = 2
    /// The longest body that is kept for another attempt; `nil` if none is.
    package var maximumBodyBytes: ByteCount? = .kibibytes(64)
    /// Whether requests are repeated that are not idempotent, such as POST.
    package var repeatsNonIdempotent = false

    package init() {}

    /// How much of a request's body is kept until its response begins.
    ///
    /// - Parameters:
    ///   - isIdempotent: Whether two of the request have the effect of one.
    ///   - length: The length of its body; `nil` if it is not known yet.
    /// - Returns: The most bytes; 0 if the request will not be repeated.
    package func keptBytes(isIdempotent: Bool, length: Int?) -> Int {
        guard attempts > 1, isIdempotent || repeatsNonIdempotent, let maximumBodyBytes else { return 0 }
        return length ?? 0 <= maximumBodyBytes.bytes ? maximumBodyBytes.bytes : 0
    }

    /// Whether another upstream may be tried.
    package func mayRetry(after attempt: FailedAttempt) -> Bool {
        guard attempt.number < attempts, attempt.isOfOneUpstream, attempt.hasWholeBody else { return false }
        return !attempt.wasSent || attempt.isIdempotent || repeatsNonIdempotent
    }
}

/// An attempt at a request that failed before the client was sent anything.
package struct FailedAttempt: Equatable, Sendable {
    /// Counted from 1.
    package var number: Int
    package var isIdempotent: Bool
    /// Whether another upstream may succeed where this one failed.
    package var isOfOneUpstream = true
    /// Whether the upstream may have got a part of the request.
    package var wasSent = true
    /// Whether all that was taken of the request's body can be sent again.
    package var hasWholeBody = true

    package init(number: Int, isIdempotent: Bool) { (self.number, self.isIdempotent) = (number, isIdempotent) }
}
