import Flow

/// The right to one open stream.
///
/// It belongs to the stream until its last byte, gives everything back when it goes, and takes the stream's verdicts on its
/// client and its upstream to their breakers.
struct Permit: ~Copyable, Sendable {
    /// What an admission came to.
    struct Parts: Sendable {
        var admitted = Admission.Admitted()
        /// What the client had left of its starts; `nil` where the route does not limit them.
        var startsLeft: StartQuota?
        /// Those of the breakers, until they were told how it went.
        var clientTicket: CircuitBreaker.Ticket?
        var upstreamTicket: CircuitBreaker.Ticket?
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
    private var lease: RecordBudget.Lease?

    init(gate: AdmissionGate, client: ClientKey, parts: Parts) {
        self.gate = gate
        self.client = client
        self.parts = parts
    }

    var startsLeft: StartQuota? { parts.startsLeft }
    var wouldRefuse: [AdmissionError] { parts.wouldRefuse }

    deinit {
        let (client, parts, isStream) = (client, parts, isStream)
        gate.withDoors { doors in
            doors.admission.released(client, isStream: isStream)
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

    /// Gives the slot back now.
    consuming func release() {}

    // MARK: Verdicts

    /// The client has taken so many records: enough, perhaps, for the probe that the stream is.
    mutating func delivered(_ records: Int, at now: Instant) {
        guard parts.clientTicket?.isProbe ?? false || parts.upstreamTicket?.isProbe ?? false else { return }
        let isGoodClient = gate.rules.clientBreaker.map { records >= $0.probeRecords } ?? false
        let isGoodUpstream = gate.rules.upstreamBreaker.map { records >= $0.probeRecords } ?? false
        guard isGoodClient || isGoodUpstream else { return }
        let (gate, client) = (gate, client)
        let hasClosed = gate.withDoors { doors in
            var closed = (client: false, upstream: false)
            if isGoodClient, parts.clientTicket?.isProbe ?? false {
                parts.clientTicket.tell { doors.clientBreakers?.succeeded(client, &$0, at: now) }
                closed.client = doors.clientBreakers?.state(of: client, at: now) == .closed
            }
            if isGoodUpstream, parts.upstreamTicket?.isProbe ?? false {
                parts.upstreamTicket.tell { doors.upstreamBreaker?.succeeded(&$0, at: now) }
                closed.upstream = doors.upstreamBreaker?.state(at: now) == .closed
            }
            return closed
        }
        if hasClosed.client { gate.breakerChanged(.client, .closed) }
        if hasClosed.upstream { gate.breakerChanged(.upstream, .closed) }
    }

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

    /// How long a probe runs without a stall before it has proved good, however few its records are.
    ///
    /// It is a window, within which a failure would have counted. `nil` for what is no probe.
    ///
    /// Without it, a stream of one record an hour would keep its client out for hours.
    var trialTime: Duration? {
        let client = parts.clientTicket?.isProbe ?? false ? gate.rules.clientBreaker?.window : nil
        let upstream = parts.upstreamTicket?.isProbe ?? false ? gate.rules.upstreamBreaker?.window : nil
        return client.map { max($0, upstream ?? .zero) } ?? upstream
    }

    /// The upstream's part is over; only the first call counts.
    mutating func upstreamEnded(_ facts: UpstreamVerdict.Facts, at now: Instant) {
        guard var ticket = parts.upstreamTicket, let policy = gate.rules.upstreamBreaker else { return }
        parts.upstreamTicket = nil
        let wasProbe = ticket.isProbe
        let state = gate.withDoors { doors -> CircuitBreaker.State? in
            switch UpstreamVerdict(facts, probeRecords: policy.probeRecords) {
            case .failed:
                let hasOpened = doors.upstreamBreaker?.failed(ticket, at: now, jitter: .random(in: 0..<1)) ?? false
                return hasOpened ? .open : nil
            case .succeeded:
                doors.upstreamBreaker?.succeeded(&ticket, at: now)
                return wasProbe && doors.upstreamBreaker?.state(at: now) == .closed ? .closed : nil
            case .neither:
                doors.upstreamBreaker?.released(ticket, at: now)
                return nil
            }
        }
        if let state { gate.breakerChanged(.upstream, state) }
    }

    /// How long the client had better wait before it comes again.
    func retryAfter(at now: Instant) -> Duration {
        let client = client
        return gate.withDoors { doors in
            max(
                .seconds(1), doors.clientBreakers?.timeUntilHalfOpen(client, at: now) ?? .zero,
                doors.upstreamBreaker?.timeUntilHalfOpen(at: now) ?? .zero)
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
