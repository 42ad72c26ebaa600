// What running streams report to the breakers of their clients and upstreams.

extension GateState {
    /// The breakers that a report has closed.
    package struct Closed: Equatable, Sendable {
        package var client = false
        package var upstream = false

        package init(client: Bool = false, upstream: Bool = false) { (self.client, self.upstream) = (client, upstream) }
    }

    /// The client has taken that many records: enough, perhaps, for the probe that the stream is.
    ///
    /// - Returns: The breakers that this closed.
    package mutating func delivered(_ grant: inout AdmissionGrant, records: Int, at now: Instant) -> Closed {
        var closed = Closed()
        if var ticket = grant.clientTicket, ticket.isProbe, let breaker = rules.clientBreaker,
            records >= breaker.probeRecords
        {
            clientBreakers?.succeeded(grant.client, &ticket, at: now)
            grant.clientTicket = ticket
            closed.client = clientBreakers?.state(of: grant.client, at: now) == .closed
        }
        if grant.isUpstreamProbe, var slot = grant.upstream, let breaker = rules.upstreams.breaker,
            records >= breaker.probeRecords
        {
            closed.upstream = upstreams.succeeded(&slot, at: now)
            grant.upstream = slot
        }
        return closed
    }

    /// How long a probe runs without a stall before it has proved good; `nil` if the stream is no probe.
    ///
    /// A window, within which a failure would have counted. Without such a time, a stream of one record an hour would keep its
    /// client out for hours.
    package func trialTime(of grant: AdmissionGrant) -> Duration? {
        let client = grant.isClientProbe ? rules.clientBreaker?.window : nil
        let upstream = grant.isUpstreamProbe ? rules.upstreams.breaker?.window : nil
        return client.map { max($0, upstream ?? .zero) } ?? upstream
    }

    /// The client did not take what was due; only the first call counts.
    ///
    /// - Parameters:
    ///   - grant: The stream's.
    ///   - now: When it stalled.
    ///   - jitter: As for ``CircuitBreaker/failed(_:at:jitter:)``; drawn only if it is needed.
    /// - Returns: Whether this opened the client's breaker.
    package mutating func clientStalled(
        _ grant: inout AdmissionGrant, at now: Instant, jitter: @autoclosure () -> Double
    ) -> Bool {
        guard let ticket = grant.clientTicket else { return false }
        grant.clientTicket = nil
        return clientBreakers?.failed(grant.client, ticket, at: now, jitter: jitter()) ?? false
    }

    /// The upstream's part is over; only the first call counts for each upstream.
    ///
    /// - Parameters:
    ///   - grant: The stream's.
    ///   - facts: How the request ended.
    ///   - now: When it ended.
    ///   - jitter: As for ``CircuitBreaker/failed(_:at:jitter:)``; drawn only if it is needed.
    /// - Returns: The state that this brought the upstream's breaker to; `nil` if it is the same as before.
    package mutating func upstreamEnded(
        _ grant: inout AdmissionGrant, _ facts: UpstreamVerdict.Facts, at now: Instant,
        jitter: @autoclosure () -> Double
    ) -> CircuitBreaker.State? {
        guard var slot = grant.upstream, slot.ticket != nil, let policy = rules.upstreams.breaker else { return nil }
        defer { grant.upstream = slot }
        switch UpstreamVerdict(facts, probeRecords: policy.probeRecords) {
        case .failed: return upstreams.failed(&slot, at: now, jitter: jitter()) ? .open : nil
        case .succeeded:
            let hasClosed = upstreams.succeeded(&slot, at: now)
            upstreams.judgedNeither(&slot, at: now)
            return hasClosed ? .closed : nil
        case .neither:
            upstreams.judgedNeither(&slot, at: now)
            return nil
        }
    }

    /// The time until the client should try again; at least one second.
    package func retryAfter(of grant: AdmissionGrant, at now: Instant) -> Duration {
        max(
            .seconds(1), clientBreakers?.timeUntilHalfOpen(grant.client, at: now) ?? .zero,
            grant.upstream.map { upstreams.timeUntilHalfOpen($0, at: now) } ?? .zero)
    }
}
