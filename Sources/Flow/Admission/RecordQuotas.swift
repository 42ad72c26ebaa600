/// What remains of a client's ``RecordAllowance``; a part is `nil` if there is none.
package struct RecordQuotas: Equatable, Sendable {
    /// `q`, `w`, `r` and `t` of a RateLimit field (draft-ietf-httpapi-ratelimit-headers).
    package struct Part: Equatable, Sendable {
        package let limit: Int64
        package let seconds: Int
        package let remaining: Int64
        package let resetSeconds: Int

        package init(limit: Int64, seconds: Int, remaining: Int64, resetSeconds: Int) {
            (self.limit, self.seconds, self.remaining, self.resetSeconds) = (limit, seconds, remaining, resetSeconds)
        }
    }

    /// The burst, and the time in which it is available again.
    package var rate: Part?
    /// The quota of the current window.
    package var quota: Part?

    package init(rate: Part? = nil, quota: Part? = nil) { (self.rate, self.quota) = (rate, quota) }
}
