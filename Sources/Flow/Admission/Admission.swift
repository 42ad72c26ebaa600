/// Who may open another stream on one route.
///
/// Two bounds on streams (of a client, of the route) and one on how often a client starts them; that of an upstream is in
/// ``UpstreamPool``. A request counts as a stream from ``admit(_:at:)`` on, because only the response tells;
/// ``turnedOutPlain(_:)`` takes that back for a response that is no stream.
///
/// Invariants (`AdmissionTests`, `AdmissionModelTests`):
/// 1. No count ever exceeds its limit, except in a dry run, or after `limits` was lowered, and then it only falls.
/// 2. A refusal changes nothing: it takes neither a slot nor a start, and displaces no stream.
/// 3. When everything admitted was released, every count is zero.
/// 4. Clients without a stream and with a full allowance are forgotten as others come, so the memory follows the
///    clients that matter now, not all that ever came.
/// 5. A slot has one holder: a displaced stream has given its slot to the start that displaced it.
///
/// A stream whose client has left and may come back (``detached(_:of:until:)``) keeps its slot for as long as no other start
/// of the same client needs it: who holds a place for a resumption must not be locked out by it.
///
/// - Complexity: O(1) for each call: a look-up of the client's key, and a look at four other clients. A refusal for the route's
///   limit may look at every detached stream, if the one that ends first has gone since the last such refusal.
package struct Admission: Sendable {
    /// The bounds of a route; `nil` is none.
    package struct Limits: Equatable, Sendable {
        /// Open streams of one client.
        package var perClient: Int?
        /// Open streams of all clients.
        package var perRoute: Int?
        /// How often one client may start a stream.
        package var starts: StartAllowance?
        /// Whether they only tell whom they would refuse.
        package var isDryRun: Bool

        package init(
            perClient: Int? = nil, perRoute: Int? = nil, starts: Rate? = nil, startsBurst: Int = 1,
            isDryRun: Bool = false
        ) {
            self.isDryRun = isDryRun
            self.perClient = perClient
            self.perRoute = perRoute
            self.starts = starts.map { StartAllowance(rate: $0, burst: startsBurst) }
        }
    }

    /// What an admission came to.
    package struct Admitted: Equatable, Sendable {
        /// In a dry run, what a stream would have been refused for.
        ///
        /// No start was taken for it then, as none would have been: so the next one is judged as it would be if the
        /// limits did bind.
        package let wouldRefuse: AdmissionError?
        /// A detached stream of the client whose slot the new one has: it has to be ended.
        package let displaced: StreamId?

        package init(wouldRefuse: AdmissionError? = nil, displaced: StreamId? = nil) {
            self.wouldRefuse = wouldRefuse
            self.displaced = displaced
        }
    }

    private struct Client: Idling {
        var openStreams = 0
        var nextStart = Instant.distantPast
        /// The next start, if clients that were refused come back as they were told.
        var plannedStart = Instant.distantPast
        /// Its detached streams, in the order in which they were detached.
        var detached: [StreamId] = []

        func isIdle(at now: Instant) -> Bool { openStreams == 0 && nextStart <= now }
    }

    /// May be replaced while streams are open (a reload); what is open stays open.
    package var limits: Limits
    package private(set) var openStreams = 0
    /// Streams and plain requests.
    package private(set) var openRequests = 0

    private var clients = IdleTable<Client>()
    /// Until when each detached stream waits for its client.
    private var detachedUntil: [StreamId: Instant] = [:]
    /// The least of `detachedUntil`; `nil` where it has to be looked for.
    private var earliestEnd: Instant?

    package init(limits: Limits) { self.limits = limits }

    /// Clients that are remembered, for they have a stream or have started one lately.
    package var knownClients: Int { clients.count }

    /// Takes a slot and a start for a stream of `client`; give it back with ``released(_:isStream:)``.
    ///
    /// The start is looked at last: who is told when to start again shall find nothing else in the way that was known.
    ///
    /// - Throws: The first bound that is reached; then nothing was taken.
    @discardableResult
    package mutating func admit(_ client: ClientKey, at now: Instant) throws(AdmissionError) -> Admitted {
        clients.sweep(at: now)
        let place = clients.place(of: client)
        let known = place.map { clients[$0] } ?? Client()
        let displaced = slotIsMissing(for: known) && !limits.isDryRun ? known.detached.first : nil
        let refusal = refusal(of: known, at: now, slots: displaced == nil ? 0 : 1)
        if let refusal, !limits.isDryRun { throw refusal }
        if let displaced { takeSlot(of: displaced, client) }
        let taken = place ?? clients.append(known, for: client)
        clients[taken].openStreams += 1
        if refusal == nil, let starts = limits.starts {
            clients[taken].nextStart = starts.taken(nextStart: known.nextStart, at: now)
        }
        openStreams += 1
        openRequests += 1
        return Admitted(wouldRefuse: refusal, displaced: displaced)
    }

    /// The response of an admitted request is no stream: gives back its stream's slot and start.
    ///
    /// - Parameters:
    ///   - client: As it was admitted.
    ///   - admitted: What its admission came to: only a start that was taken is given back.
    package mutating func turnedOutPlain(_ client: ClientKey, admitted: Admitted = Admitted()) {
        let place = streamEnded(of: client)
        if admitted.wouldRefuse == nil, let starts = limits.starts {
            clients[place].nextStart = starts.refunded(nextStart: clients[place].nextStart)
        }
    }

    /// An admitted request is over.
    ///
    /// - Parameters:
    ///   - client: As it was admitted.
    ///   - isStream: Whether it still counts as one, that is, ``turnedOutPlain(_:)`` was not called for it.
    package mutating func released(_ client: ClientKey, isStream: Bool = true) {
        // Called in the `deinit` of a permit alone, which is not copyable: once for each admission.
        precondition(openRequests > 0, "a release without an admission")
        openRequests -= 1
        if isStream { _ = streamEnded(of: client) }
    }

    /// What a client has left of its starts; `nil` where the route does not limit them.
    package func startsLeft(of client: ClientKey, at now: Instant) -> StartQuota? {
        limits.starts?.quota(
            nextStart: clients.place(of: client).map { clients[$0].nextStart } ?? .distantPast, at: now)
    }

    /// How many more streams a client may open; `nil` where the route does not limit them.
    package func streamsLeft(of client: ClientKey) -> Int? {
        let open = clients.place(of: client).map { clients[$0].openStreams } ?? 0
        return limits.perClient.map { max(0, $0 - open) }
    }

    private func slotIsMissing(for client: Client) -> Bool {
        limits.perClient.map { client.openStreams >= $0 } ?? false || limits.perRoute.map { openStreams >= $0 } ?? false
    }

    /// The first bound that is in the way of one more stream of a client that would take over `slots` of its own.
    private mutating func refusal(of client: Client, at now: Instant, slots: Int) -> AdmissionError? {
        if let limit = limits.perClient, client.openStreams - slots >= limit {
            return .tooManyStreamsOfClient(limit: limit)
        }
        if let limit = limits.perRoute, openStreams - slots >= limit {
            return .tooManyStreamsOfRoute(limit: limit, retryAfter: timeToEarliestEnd(at: now))
        }
        guard let starts = limits.starts else { return nil }
        let wait = starts.wait(nextStart: client.nextStart, at: now)
        return wait > .zero ? .tooManyStarts(rate: starts.rate, retryAfter: wait) : nil
    }

    /// Takes one open stream off; the client's place is told back.
    private mutating func streamEnded(of client: ClientKey) -> Int {
        // A client is only forgotten without open streams.
        guard let place = clients.place(of: client), clients[place].openStreams > 0 else {
            preconditionFailure("the end of a stream that was not admitted")
        }
        clients[place].openStreams -= 1
        openStreams -= 1
        return place
    }
}

// MARK: - Streams without a client

extension Admission {
    /// The client of an open stream has left and may come back: its slot is the client's next start's, should it be needed.
    ///
    /// - Parameters:
    ///   - stream: Not detached yet.
    ///   - client: As it was admitted.
    ///   - end: When the stream ends by itself.
    package mutating func detached(_ stream: StreamId, of client: ClientKey, until end: Instant) {
        guard let place = clients.place(of: client) else { preconditionFailure("a stream that was not admitted") }
        clients[place].detached.append(stream)
        if detachedUntil.isEmpty { earliestEnd = end }
        detachedUntil[stream] = end
        earliestEnd = earliestEnd.map { min($0, end) }
    }

    /// The client of a detached stream is back, or the stream is over.
    ///
    /// - Returns: Whether the stream still has its slot; if not, it was displaced, and must not be released as a stream.
    package mutating func attached(_ stream: StreamId, of client: ClientKey) -> Bool {
        guard let end = detachedUntil.removeValue(forKey: stream) else { return false }
        if end == earliestEnd { earliestEnd = nil }
        if let place = clients.place(of: client) { clients[place].detached.removeAll { $0 == stream } }
        return true
    }

    /// Takes the slot of a detached stream from it.
    private mutating func takeSlot(of stream: StreamId, _ client: ClientKey) {
        if attached(stream, of: client) { _ = streamEnded(of: client) }
    }

    /// The time until a detached stream gives its slot back at the latest; `nil` where none is known.
    private mutating func timeToEarliestEnd(at now: Instant) -> Duration? {
        if earliestEnd == nil { earliestEnd = detachedUntil.values.min() }
        return earliestEnd.map { $0 - now }
    }
}

// MARK: - When to come again

extension Admission {
    /// Plans the return of a client that is refused for its starts: what its `Retry-After` announces.
    ///
    /// Clients that are refused at once must not all come back at once: each gets the time at which the allowance admits it, if those that were
    /// refused before it come back as they were told, in whole seconds.
    ///
    /// - Returns: How long it should wait; `nil` where starts are not limited.
    package mutating func planReturn(of client: ClientKey, at now: Instant) -> Duration? {
        guard let starts = limits.starts, let place = clients.place(of: client) else { return nil }
        let (next, most) = (clients[place].nextStart, starts.mostPlanned(nextStart: clients[place].nextStart))
        let planned = min(max(next, clients[place].plannedStart), most)
        let wait = starts.wait(nextStart: planned, at: now)
        clients[place].plannedStart = starts.planned(nextStart: planned, after: wait, at: now)
        return wait
    }
}
