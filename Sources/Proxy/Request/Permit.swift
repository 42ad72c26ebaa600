import Flow

/// The right to one open stream.
///
/// It belongs to the stream until its last byte, gives everything back when it goes, and takes the stream's verdicts on its
/// client and its upstream to their breakers.
struct Permit: ~Copyable, Sendable {
    /// What an admission came to.
    struct Parts: Sendable {
        var admitted = Admission.Admitted()
        /// What the client had left of the route's limits on clients.
        var quotas = ClientQuotas()
        /// That of the client's breaker, until it was told how it went.
        var clientTicket: CircuitBreaker.Ticket?
        /// At the upstream that is asked.
        var place: UpstreamPool.Place?
        /// How to reach it.
        var upstream: RouteUpstream?
        /// Those that were given back because their upstreams failed before they answered.
        var tried: [UpstreamPool.Place] = []
        /// What the stream would have been refused for, were it not for dry runs.
        var wouldRefuse: [AdmissionError] = []

        mutating func refuse(_ error: AdmissionError, isDryRun: Bool) throws(AdmissionError) {
            guard isDryRun else { throw error }
            wouldRefuse.append(error)
        }
    }

    private let gate: AdmissionGate
    private let client: ClientKey
    private var parts: Parts
    private var isStream = true
    /// The stream's id while its client is away; only then another start of the client may take the slot.
    private var detachedAs: StreamId?
    private var lease: RecordBudget.Lease?

    init(gate: AdmissionGate, client: ClientKey, parts: Parts) {
        self.gate = gate
        self.client = client
        self.parts = parts
    }

    var quotas: ClientQuotas { parts.quotas }
    /// A detached stream whose slot this one has: it has to be ended.
    var displaced: StreamId? { parts.admitted.displaced }
    var wouldRefuse: [AdmissionError] { parts.wouldRefuse }
    /// The one to ask; `nil` only once there is none left to try.
    var upstream: RouteUpstream? { parts.upstream }

    deinit {
        let (client, parts, isStream, detachedAs) = (client, parts, isStream, detachedAs)
        gate.withDoors { doors in
            let hasSlot = detachedAs.map { doors.admission.attached($0, of: client) } ?? isStream
            doors.admission.released(client, isStream: hasSlot)
            doors.release(client, parts, at: Worker.now())
        }
    }

    /// The response is no stream: from now on only the upstream's slot is held, and the start was none.
    ///
    /// Calling it again changes nothing.
    mutating func turnedOutPlain() {
        guard isStream else { return }
        isStream = false
        let (client, admitted) = (client, parts.admitted)
        gate.withDoors { $0.admission.turnedOutPlain(client, admitted: admitted) }
    }

    // MARK: Without a client

    /// The client has left and may come back until then.
    mutating func detached(as stream: StreamId, until end: Instant) {
        guard isStream, detachedAs == nil else { return }
        detachedAs = stream
        let client = client
        gate.withDoors { $0.admission.detached(stream, of: client, until: end) }
    }

    /// The client is back.
    ///
    /// - Returns: Whether the stream still has its slot; if not, the stream has to end.
    mutating func attached() -> Bool {
        guard let stream = detachedAs else { return true }
        let client = client
        guard gate.withDoors({ $0.admission.attached(stream, of: client) }) else { return false }
        detachedAs = nil
        return true
    }

    /// Gives the slot back now.
    consuming func release() {}

    // MARK: Verdicts

    /// The client has taken so many records: enough, perhaps, for the probe that the stream is.
    mutating func delivered(_ records: Int, at now: Instant) {
        guard isClientProbe || isUpstreamProbe else { return }
        let isGoodClient = isClientProbe && gate.rules.clientBreaker.map { records >= $0.probeRecords } ?? false
        let isGoodUpstream = isUpstreamProbe && gate.rules.upstreams.breaker.map { records >= $0.probeRecords } ?? false
        guard isGoodClient || isGoodUpstream else { return }
        let (gate, client) = (gate, client)
        let hasClosed = gate.withDoors { doors in
            var closed = (client: false, upstream: false)
            if isGoodClient {
                parts.clientTicket.tell { doors.clientBreakers?.succeeded(client, &$0, at: now) }
                closed.client = doors.clientBreakers?.state(of: client, at: now) == .closed
            }
            if isGoodUpstream, var place = parts.place {
                closed.upstream = doors.upstreams.succeeded(&place, at: now)
                parts.place = place
            }
            return closed
        }
        if hasClosed.client { gate.breakerChanged(.client, .closed) }
        if hasClosed.upstream { gate.breakerChanged(.upstream, .closed) }
    }

    private var isClientProbe: Bool { parts.clientTicket?.isProbe ?? false }
    private var isUpstreamProbe: Bool { parts.place?.ticket?.isProbe ?? false }

    /// The client did not take what was due.
    mutating func clientStalled(at now: Instant) {
        guard let ticket = parts.clientTicket else { return }
        parts.clientTicket = nil
        let client = client
        let hasOpened = gate.withDoors {
            $0.clientBreakers?.failed(client, ticket, at: now, jitter: .random(in: 0..<1)) ?? false
        }
        if hasOpened { gate.breakerChanged(.client, .open) }
    }

    /// The stream came to its end, all of it taken, or ran for its ``trialTime``: as good as any number of records.
    mutating func provedGood(at now: Instant) { delivered(.max, at: now) }

    /// How long a probe runs without a stall before it has proved good; `nil` for what is no probe.
    ///
    /// A window, within which a failure would have counted. Without such a time, a stream of one record an hour would keep its client out for hours.
    var trialTime: Duration? {
        let client = isClientProbe ? gate.rules.clientBreaker?.window : nil
        let upstream = isUpstreamProbe ? gate.rules.upstreams.breaker?.window : nil
        return client.map { max($0, upstream ?? .zero) } ?? upstream
    }

    /// The upstream's part is over; only the first call counts.
    mutating func upstreamEnded(_ facts: UpstreamVerdict.Facts, at now: Instant) {
        guard var place = parts.place, place.ticket != nil, let policy = gate.rules.upstreams.breaker else { return }
        let state = gate.withDoors { doors -> CircuitBreaker.State? in
            switch UpstreamVerdict(facts, probeRecords: policy.probeRecords) {
            case .failed: return doors.upstreams.failed(&place, at: now, jitter: .random(in: 0..<1)) ? .open : nil
            case .succeeded:
                let hasClosed = doors.upstreams.succeeded(&place, at: now)
                doors.upstreams.judgedNeither(&place, at: now)
                return hasClosed ? .closed : nil
            case .neither:
                doors.upstreams.judgedNeither(&place, at: now)
                return nil
            }
        }
        parts.place = place
        if let state { gate.breakerChanged(.upstream, state) }
    }

    /// Goes to another upstream, where there is one that can be had and the route's retries are not used up.
    ///
    /// - Returns: The one to ask next; `nil` leaves everything as it is.
    mutating func tryAnother(at now: Instant) -> RouteUpstream? {
        guard let place = parts.place else { return nil }
        let tried = parts.tried + [place]
        let next = gate.withDoors { doors -> (place: UpstreamPool.Place, upstream: RouteUpstream)? in
            guard let next = try? doors.upstreams.admit(after: tried, onlyOthers: true, at: now) else { return nil }
            guard doors.retries.takeRetry(at: now) else {
                doors.upstreams.released(next, at: now)
                return nil
            }
            doors.upstreams.released(place, at: now)
            return (next, doors.targets[next.index])
        }
        guard let next else { return nil }
        parts.tried = tried
        (parts.place, parts.upstream) = (next.place, next.upstream)
        return next.upstream
    }

    /// How long the client had better wait before it comes again.
    func retryAfter(at now: Instant) -> Duration {
        let (client, place) = (client, parts.place)
        return gate.withDoors { doors in
            max(
                .seconds(1), doors.clientBreakers?.timeUntilHalfOpen(client, at: now) ?? .zero,
                place.map { doors.upstreams.timeUntilHalfOpen($0, at: now) } ?? .zero)
        }
    }

    // MARK: Records

    /// Draws records from the budget that all streams of the client share; `nil` where there is none.
    mutating func draw(upTo records: Int, at now: Instant) -> RecordBudget.Lease? {
        let (client, last) = (client, lease)
        lease = gate.withDoors { $0.budgets?.draw(client, upTo: records, after: last, at: now) }
        return lease
    }

    func giveBack(_ records: Int, at now: Instant) {
        guard records > 0 else { return }
        let client = client
        gate.withDoors { $0.budgets?.giveBack(client, records, at: now) }
    }
}

extension CircuitBreaker.Ticket? {
    /// Hands the ticket to its breaker, which may mark it.
    fileprivate mutating func tell(_ breaker: (inout CircuitBreaker.Ticket) -> Void) {
        guard var ticket = self else { return }
        breaker(&ticket)
        self = ticket
    }
}
