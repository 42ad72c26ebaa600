/// The remaining quota of a client on a route, for each limit on clients that the route has.
package struct ClientQuotas: Equatable, Sendable {
    package var starts: StartQuota?
    /// Streams that it may open in addition to the open ones.
    package var streams: Int?
    package var records: RecordQuotas

    package init(starts: StartQuota? = nil, streams: Int? = nil, records: RecordQuotas = RecordQuotas()) {
        self.starts = starts
        self.streams = streams
        self.records = records
    }
}

/// The remaining starts of a client: `r` and `t` of a `RateLimit` field (draft-ietf-httpapi-ratelimit-headers).
package struct StartQuota: Equatable, Sendable {
    /// Streams that it may start now, one after the other.
    package let remaining: Int
    /// Whole seconds, rounded up, until its allowance is full again; 0 if it is full.
    package let resetSeconds: Int

    package init(remaining: Int, resetSeconds: Int) {
        self.remaining = remaining
        self.resetSeconds = resetSeconds
    }
}
