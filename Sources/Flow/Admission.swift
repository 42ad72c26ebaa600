/// Who may open another stream on one route.
///
/// Two bounds on streams (of a client, of the route) and one on how often a client starts them; that of an upstream is in
/// ``UpstreamPool``. A request counts as a stream from ``admit(_:at:)`` on, because only the response tells;
/// ``turnedOutPlain(_:)`` takes that back for a response that is no stream.
///
/// Invariants (`AdmissionTests`, `AdmissionModelTests`):
/// 1. No count ever exceeds its limit, except in a dry run, or after `limits` was lowered, and then it only falls.
/// 2. A refusal changes nothing: it takes neither a slot nor a start.
/// 3. When everything admitted was released, every count is zero.
/// 4. Clients without a stream and with a full allowance are forgotten as others come, so the memory follows the
///    clients that matter now, not all that ever came.
///
/// - Complexity: O(1) for each call: a look-up of the client's key, and a look at four other clients.
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

        package init(wouldRefuse: AdmissionError? = nil) { self.wouldRefuse = wouldRefuse }
    }

    private struct Client: Idling {
        var openStreams = 0
        var nextStart = Instant.distantPast

        func isIdle(at now: Instant) -> Bool { openStreams == 0 && nextStart <= now }
    }

    /// May be replaced while streams are open (a reload); what is open stays open.
    package var limits: Limits
    package private(set) var openStreams = 0
    /// Streams and plain requests.
    package private(set) var openRequests = 0

    private var clients = IdleTable<Client>()

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
        let refusal = refusal(of: known, at: now)
        if let refusal, !limits.isDryRun { throw refusal }
        let taken = place ?? clients.append(known, for: client)
        clients[taken].openStreams += 1
        if refusal == nil, let starts = limits.starts {
            clients[taken].nextStart = starts.taken(nextStart: known.nextStart, at: now)
        }
        openStreams += 1
        openRequests += 1
        return Admitted(wouldRefuse: refusal)
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

    /// The first bound that is in the way of one more stream of a client.
    private func refusal(of client: Client, at now: Instant) -> AdmissionError? {
        if let limit = limits.perClient, client.openStreams >= limit { return .tooManyStreamsOfClient(limit: limit) }
        if let limit = limits.perRoute, openStreams >= limit { return .tooManyStreamsOfRoute(limit: limit) }
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
