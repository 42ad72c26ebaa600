/// Limits on the streams of one route: open streams of a client, open streams of all clients, and starts of a client
/// per time.
///
/// The limit of an upstream is in ``UpstreamPool``. A request counts as a stream from ``admit(_:at:)`` on, because only
/// the response shows whether it is one; ``turnedOutPlain(_:admitted:)`` reverts that for a response that is no stream.
///
/// Invariants (`AdmissionTests`, `AdmissionModelTests`):
/// 1. No count exceeds its limit, except in a dry run and after `limits` was lowered; then the count only falls.
/// 2. A refusal changes nothing: it takes neither a slot nor a start, and displaces no stream.
/// 3. After everything admitted was released, every count is zero.
/// 4. Clients without a stream and with a full allowance are removed while others arrive, so the memory is bounded by
///    the clients that matter now, not by all clients ever seen.
/// 5. A slot has one holder: a displaced stream has given its slot to the start that displaced it.
///
/// A stream whose client is disconnected and may resume (``detached(_:of:until:)``) keeps its slot until another start of
/// the same client needs it: a client must not be locked out by its own stream that waits for a resumption.
///
/// - Complexity: O(1) for each call: one look-up of the client's key, and a check of four other clients. A refusal for
///   the route's limit may visit every detached stream if the one that ends first was removed since the last such
///   refusal.
package struct Admission: Sendable {
    /// The limits of a route; `nil` if there is none.
    package struct Limits: Equatable, Sendable {
        /// Open streams of one client.
        package var perClient: Int?
        /// Open streams of all clients.
        package var perRoute: Int?
        /// The rate at which one client may start streams.
        package var starts: StartAllowance?
        /// Whether the limits are only reported, not enforced.
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

    /// The result of an admission.
    package struct Admitted: Equatable, Sendable {
        /// In a dry run, the reason for which the stream would have been refused.
        ///
        /// No start was taken in that case, as none would have been: the next start is judged as if the limits were
        /// enforced.
        package let wouldRefuse: AdmissionError?
        /// A detached stream of the client whose slot the new one has taken; the caller must end it.
        package let displaced: StreamId?

        package init(wouldRefuse: AdmissionError? = nil, displaced: StreamId? = nil) {
            self.wouldRefuse = wouldRefuse
            self.displaced = displaced
        }
    }

    private struct Client: Idling {
        var openStreams = 0
        var nextStart = Instant.distantPast
        /// The next start if the clients that were refused retry at the time of their `Retry-After`.
        var plannedStart = Instant.distantPast
        /// Its detached streams, in the order of their detachment.
        var detached: [StreamId] = []

        func isIdle(at now: Instant) -> Bool { openStreams == 0 && nextStart <= now }
    }

    /// May be replaced while streams are open (a reload); open streams stay open.
    package var limits: Limits
    /// Streams of all clients that are open now.
    package private(set) var openStreams = 0
    /// Streams and plain requests that are open now.
    package private(set) var openRequests = 0

    private var clients = IdleTable<ClientKey, Client>()
    /// When each detached stream ends if its client does not come back.
    private var detachedUntil: [StreamId: Instant] = [:]
    /// The same of streams whose slot a start has taken over; it may give it back until they have ended.
    private var displacedUntil: [StreamId: Instant] = [:]
    /// The earliest of `detachedUntil`; `nil` if it has to be computed.
    private var earliestEnd: Instant?

    /// A gate of a route without open streams.
    package init(limits: Limits) { self.limits = limits }

    /// Clients with an entry: they have an open stream or started one recently.
    package var knownClients: Int { clients.count }

    /// Takes a slot and a start for a stream of `client`; ``released(_:isStream:)`` returns the slot.
    ///
    /// The starts are checked last, so that a client that honours `Retry-After` is not rejected by another limit that
    /// was already known.
    ///
    /// - Parameters:
    ///   - client: Whose limits count.
    ///   - tier: The limits of the client's tier; `nil` if it has none. What it has open counts whatever its tier was.
    ///   - now: The time.
    /// - Returns: What the stream has taken.
    /// - Throws: The first limit that is reached; then nothing was taken.
    @discardableResult
    package mutating func admit(
        _ client: ClientKey, under tier: Limits? = nil, at now: Instant
    ) throws(AdmissionError) -> Admitted {
        let limits = tier ?? limits
        clients.sweep(at: now)
        let index = clients.index(of: client)
        let known = index.map { clients[$0] } ?? Client()
        let displaced = slotIsMissing(for: known, under: limits) && !limits.isDryRun ? known.detached.first : nil
        let refusal = refusal(of: known, under: limits, at: now, slots: displaced == nil ? 0 : 1)
        if let refusal, !limits.isDryRun { throw refusal }
        if let displaced { takeSlot(of: displaced, client) }
        let taken = index ?? clients.append(known, for: client)
        clients[taken].openStreams += 1
        if refusal == nil, let starts = limits.starts {
            clients[taken].nextStart = starts.taken(nextStart: known.nextStart, at: now)
        }
        openStreams += 1
        openRequests += 1
        return Admitted(wouldRefuse: refusal, displaced: displaced)
    }

    /// The response of an admitted request is no stream: returns its stream's slot and start.
    ///
    /// - Parameters:
    ///   - client: As it was admitted.
    ///   - admitted: The result of its admission: a start is returned only if one was taken.
    ///   - tier: As for its admission.
    package mutating func turnedOutPlain(
        _ client: ClientKey, admitted: Admitted = Admitted(), under tier: Limits? = nil
    ) {
        let index = streamEnded(of: client)
        if admitted.wouldRefuse == nil, let starts = (tier ?? limits).starts {
            clients[index].nextStart = starts.refunded(nextStart: clients[index].nextStart)
        }
    }

    /// An admitted request has ended.
    ///
    /// - Parameters:
    ///   - client: As it was admitted.
    ///   - isStream: Whether it still counts as a stream: ``turnedOutPlain(_:admitted:)`` was not called for it.
    package mutating func released(_ client: ClientKey, isStream: Bool = true) {
        // Called only in the `deinit` of a permit, which is not copyable: once for each admission.
        precondition(openRequests > 0, "a release without an admission")
        openRequests -= 1
        if isStream { _ = streamEnded(of: client) }
    }

    /// The remaining starts of a client; `nil` if the route does not limit them.
    package func remainingStarts(
        of client: ClientKey, under tier: Limits? = nil, at now: Instant
    ) -> StartQuota? {
        (tier ?? limits).starts?.quota(
            nextStart: clients.index(of: client).map { clients[$0].nextStart } ?? .distantPast, at: now)
    }

    /// The number of streams that a client may still open; `nil` if the route does not limit them.
    package func streamsLeft(of client: ClientKey, under tier: Limits? = nil) -> Int? {
        guard let limit = (tier ?? limits).perClient else { return nil }
        return max(0, limit - (clients.index(of: client).map { clients[$0].openStreams } ?? 0))
    }

    private func slotIsMissing(for client: Client, under limits: Limits) -> Bool {
        limits.perClient.map { client.openStreams >= $0 } ?? false || limits.perRoute.map { openStreams >= $0 } ?? false
    }

    /// The first limit that rejects one more stream of a client, if that stream takes over `slots` of the client's own.
    private mutating func refusal(
        of client: Client, under limits: Limits, at now: Instant, slots: Int
    ) -> AdmissionError? {
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

    /// Subtracts one open stream and returns the client's index.
    private mutating func streamEnded(of client: ClientKey) -> Int {
        // A client is removed only when it has no open stream.
        guard let index = clients.index(of: client), clients[index].openStreams > 0 else {
            preconditionFailure("the end of a stream that was not admitted")
        }
        clients[index].openStreams -= 1
        openStreams -= 1
        return index
    }
}

// MARK: - Streams without a client

extension Admission {
    /// The client of an open stream is disconnected and may resume: the client's next start takes over the slot if it
    /// needs one.
    ///
    /// - Parameters:
    ///   - stream: Not detached yet.
    ///   - client: As it was admitted.
    ///   - end: When the stream ends if the client does not resume.
    package mutating func detached(_ stream: StreamId, of client: ClientKey, until end: Instant) {
        guard let index = clients.index(of: client) else { preconditionFailure("a stream that was not admitted") }
        clients[index].detached.append(stream)
        if detachedUntil.isEmpty { earliestEnd = end }
        detachedUntil[stream] = end
        earliestEnd = earliestEnd.map { min($0, end) }
    }

    /// A detached stream has another end; nothing changes if it has lost its slot for good.
    package mutating func changeEnd(of stream: StreamId, to end: Instant) {
        if displacedUntil[stream] != nil { displacedUntil[stream] = end }
        guard let before = detachedUntil[stream] else { return }
        detachedUntil[stream] = end
        earliestEnd = before == earliestEnd ? nil : earliestEnd.map { min($0, end) }
    }

    /// The client of a detached stream has come back, or the stream has ended.
    ///
    /// - Returns: Whether the stream still has its slot; if not, it was displaced, and must not be released as a
    ///   stream.
    package mutating func attached(_ stream: StreamId, of client: ClientKey) -> Bool {
        guard let end = detachedUntil.removeValue(forKey: stream) else {
            displacedUntil[stream] = nil
            return false
        }
        if end == earliestEnd { earliestEnd = nil }
        if let index = clients.index(of: client) { clients[index].detached.removeAll { $0 == stream } }
        return true
    }

    /// Takes the slot away from a detached stream.
    private mutating func takeSlot(of stream: StreamId, _ client: ClientKey) {
        guard let end = detachedUntil[stream], attached(stream, of: client) else { return }
        displacedUntil[stream] = end
        _ = streamEnded(of: client)
    }

    /// The start that has taken over a slot is not admitted after all: the detached stream has its slot again.
    ///
    /// - Parameters:
    ///   - stream: Whose slot was taken over.
    ///   - client: As it was admitted; the start is released after this.
    /// - Returns: Whether the stream has it; not if it has ended, or its client has come back.
    package mutating func returnSlot(to stream: StreamId, of client: ClientKey) -> Bool {
        guard let end = displacedUntil.removeValue(forKey: stream), let index = clients.index(of: client) else {
            return false
        }
        clients[index].openStreams += 1
        openStreams += 1
        detached(stream, of: client, until: end)
        return true
    }

    /// The time until a detached stream returns its slot at the latest; `nil` if there is none.
    private mutating func timeToEarliestEnd(at now: Instant) -> Duration? {
        if earliestEnd == nil { earliestEnd = detachedUntil.values.min() }
        return earliestEnd.map { max(.zero, $0 - now) }
    }
}

// MARK: - Retry-After

extension Admission {
    /// Plans the next start of a client that is refused for its starts: the value of its `Retry-After`.
    ///
    /// Clients that are refused at the same time must not all retry at the same time. Each gets the time at which the
    /// allowance admits it, given that the clients refused before it retry at their own times, in whole seconds.
    ///
    /// - Returns: The time to wait; `nil` if starts are not limited.
    package mutating func planReturn(of client: ClientKey, under tier: Limits? = nil, at now: Instant) -> Duration? {
        guard let starts = (tier ?? limits).starts, let index = clients.index(of: client) else { return nil }
        let (next, most) = (clients[index].nextStart, starts.mostPlanned(nextStart: clients[index].nextStart))
        let planned = min(max(next, clients[index].plannedStart), most)
        let wait = starts.wait(nextStart: planned, at: now)
        clients[index].plannedStart = starts.planned(nextStart: planned, after: wait, at: now)
        return wait
    }
}
