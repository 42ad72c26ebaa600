import Flow
import Upstream

/// The right to one open stream.
///
/// It belongs to the stream until its last byte, and its end releases everything. It passes the stream's reports to the
/// route's ``GateState``, which decides, and reports changes of the breakers.
struct Permit: ~Copyable, Sendable {
    private let gate: AdmissionGate
    private var grant: AdmissionGrant
    /// What it has taken of the limits over all replicas; `nil` if there are none, or the start is not decided yet.
    private var held: HeldLimits?
    private var sharedQuotas: ClientQuotas?
    /// Its part in a record rate over all replicas, and the round of its last draw; `nil` if there is none.
    private var records: SharedRecords?
    private var lastRound: Int64?
    private var detachedAs: StreamId?
    /// What a detached stream holds of the limits over all replicas, whose slot this one has taken over.
    private let lent: HeldLimits?
    private var hasBegun = false
    /// The upstream of the request; `nil` if the pool has none, and for a stream that shares another's request.
    private(set) var upstream: RouteUpstream?

    init(gate: AdmissionGate, grant: AdmissionGrant, upstream: RouteUpstream?, lent: HeldLimits? = nil) {
        (self.gate, self.grant, self.upstream, self.lent) = (gate, grant, upstream, lent)
    }

    deinit {
        gate.release(grant, hasBegun: hasBegun, lent: lent, at: gate.clock())
        if let detachedAs { _ = gate.takeHeld(of: detachedAs) }
        held?.release()
    }

    /// The limits over all replicas have admitted the stream.
    mutating func hold(_ limits: HeldLimits, _ basis: SharedVerdict.Basis) {
        held = limits
        if case .byStore(let quotas) = basis { sharedQuotas = quotas }
    }

    /// Those over all replicas if the store knows them.
    var quotas: ClientQuotas {
        ClientQuotas(
            starts: sharedQuotas?.starts ?? grant.quotas.starts, streams: sharedQuotas?.streams ?? grant.quotas.streams,
            records: sharedRecordQuotas ?? grant.quotas.records)
    }

    private var sharedRecordQuotas: RecordQuotas? {
        guard let records, let rate = gate.sharedRecords(of: grant.tier)?.rate else { return nil }
        return records.quotas(of: rate)
    }

    /// The stream begins.
    ///
    /// - Returns: A detached stream whose slot this one has taken over; the caller must end it.
    mutating func begin() -> StreamId? {
        hasBegun = true
        return grant.displaced
    }
    var wouldRefuse: [AdmissionError] { grant.wouldRefuse }

    /// The response is not a stream: from now on only the upstream's slot is taken, and the start does not count.
    mutating func turnedOutPlain() {
        gate.withState { $0.turnedOutPlain(&grant) }
        held?.takeBack()
        held = nil
    }

    // MARK: Without a client

    /// The client has disconnected and may resume until then.
    mutating func detached(as stream: StreamId, until end: Instant) {
        if let held {
            detachedAs = stream
            gate.keep(held, of: stream)
        }
        gate.withState { $0.detached(&grant, as: stream, until: end) }
    }

    /// The client has resumed.
    ///
    /// - Returns: Whether the stream still has its slot; if not, the stream has to end.
    mutating func attached() -> Bool {
        guard gate.withState({ $0.attached(&grant) }) else { return false }
        if let detachedAs { _ = gate.takeHeld(of: detachedAs) }
        detachedAs = nil
        return true
    }

    // MARK: Verdicts

    /// The client has taken that many records; called after each batch, and takes the lock only for a probe.
    mutating func delivered(_ records: Int, at now: Instant) {
        guard grant.isProbe else { return }
        let closed = gate.withState { $0.delivered(&grant, records: records, at: now) }
        if closed.client { gate.breakerChanged(.client, .closed) }
        if closed.upstream { gate.breakerChanged(.upstream, .closed) }
    }

    /// The client did not take what was due.
    ///
    /// - Returns: Whether its breaker has opened.
    @discardableResult
    mutating func clientStalled(at now: Instant) -> Bool {
        let hasOpened = gate.withState { $0.clientStalled(&grant, at: now, jitter: .random(in: 0..<1)) }
        if hasOpened { gate.breakerChanged(.client, .open) }
        return hasOpened
    }

    /// The stream is complete and all of it was taken, or it ran for its ``trialTime``: a success of the probe.
    mutating func provedGood(at now: Instant) { delivered(.max, at: now) }

    /// The time without a stall after which a probe succeeds; `nil` if the stream is not a probe.
    var trialTime: Duration? { grant.isProbe ? gate.withState { $0.trialTime(of: grant) } : nil }

    /// The upstream's part is over; only the first call counts.
    mutating func upstreamEnded(_ facts: UpstreamVerdict.Facts, at now: Instant) {
        guard grant.awaitsVerdict else { return }
        let state = gate.withState { $0.upstreamEnded(&grant, facts, at: now, jitter: .random(in: 0..<1)) }
        if let state { gate.breakerChanged(.upstream, state) }
    }

    /// An attempt at the upstream is over; only the first call counts.
    ///
    /// - Parameters:
    ///   - outcome: How it ended.
    ///   - error: Why there is no complete response.
    ///   - status: Of the response, if its head arrived.
    ///   - isSilent: Whether the upstream did not begin its response in time, or stopped sending.
    ///   - records: Records that arrived.
    ///   - now: The time.
    mutating func attemptEnded(
        _ outcome: Outcome, because error: UpstreamError?, status: Int?, isSilent: Bool = false, records: Int = 0,
        at now: Instant
    ) {
        upstreamEnded(
            .init(
                outcome: outcome, status: status, hasUpstreamFallenSilent: isSilent || error?.isSilence ?? false,
                wasClosedWhileIdle: error == .closedWhileIdle, records: records), at: now)
    }

    /// Takes an upstream, for a stream that shared another's request and continues with one of its own.
    ///
    /// - Throws: Why no upstream can be asked; then nothing has changed.
    mutating func takeUpstream(at now: Instant) throws(AdmissionError) {
        upstream = try gate.takeUpstream(&grant, at: now)
    }

    /// Selects another upstream, if one is available and the route's retries are not used up.
    ///
    /// - Returns: The next upstream; `nil` if there is none, and nothing has changed.
    mutating func tryAnother(at now: Instant) -> RouteUpstream? {
        guard let next = gate.tryAnother(&grant, at: now) else { return nil }
        upstream = next
        return next
    }

    /// The time until the client should try again.
    func retryAfter(at now: Instant) -> Duration { gate.withState { $0.retryAfter(of: grant, at: now) } }

    // MARK: Records

    /// Draws records from the budget that all streams of the client share; `nil` if there is none.
    mutating func draw(upTo wanted: Int, over replicas: Replicas?, at now: Instant) -> RecordDraw? {
        // A reload may have changed the rate, or the instances over which it counts.
        if let replicas, let rule = gate.sharedRecords(of: grant.tier) {
            if records == nil { countRecords(of: ClientDigest(grant.client), over: replicas, by: rule, at: now) }
            return records?.draw(upTo: wanted, after: &lastRound, at: rule.rate, now)
        }
        let lease = gate.withState { $0.draw(&grant, upTo: wanted, at: now) }
        return lease.map { .lease(records: $0.records, notBefore: $0.notBefore) }
    }

    /// The client's records count over all replicas, if the route says so.
    mutating func countRecords(of client: ClientDigest, over replicas: Replicas, at now: Instant) {
        guard let rule = gate.sharedRecords(of: grant.tier) else { return }
        countRecords(of: client, over: replicas, by: rule, at: now)
    }

    private mutating func countRecords(
        of client: ClientDigest, over replicas: Replicas, by rule: SharedRecordRule, at now: Instant
    ) {
        records = SharedRecords(rule, of: client, in: replicas, at: now)
    }

    func giveBack(_ unused: Int, at now: Instant) {
        guard unused > 0 else { return }
        if let records { return records.giveBack(unused) }
        gate.withState { $0.giveBack(unused, of: grant, at: now) }
    }

    /// Charges units beyond the leases to the client's budget; gives back what was counted too much if negative.
    func settle(_ units: Int, at now: Instant) {
        guard units > 0 else { return giveBack(-units, at: now) }
        gate.withState { $0.charge(units, of: grant, at: now) }
    }
}
