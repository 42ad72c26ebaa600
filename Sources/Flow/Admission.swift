/// Who may open another stream on one route.
///
/// Three bounds on streams (of a client, of the route, of its upstream) and one on how often a client starts them. A
/// request counts as a stream from ``admit(_:at:)`` on, because only the response tells; ``turnedOutPlain(_:)`` takes
/// that back for a response that is no stream, which then counts against the upstream alone.
///
/// Invariants (`AdmissionTests`, `AdmissionModelTests`):
/// 1. No count ever exceeds its limit, except after `limits` was lowered, and then it only falls.
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
        /// Open streams and plain requests at the route's upstream.
        package var upstreamStreams: Int?

        package init(
            perClient: Int? = nil, perRoute: Int? = nil, starts: Rate? = nil, startsBurst: Int = 1,
            upstreamStreams: Int? = nil
        ) {
            self.perClient = perClient
            self.perRoute = perRoute
            self.starts = starts.map { StartAllowance(rate: $0, burst: startsBurst) }
            self.upstreamStreams = upstreamStreams
        }
    }

    private struct Client {
        let key: ClientKey
        var openStreams = 0
        var nextStart = Instant.distantPast
    }

    /// May be replaced while streams are open (a reload); what is open stays open.
    package var limits: Limits
    package private(set) var openStreams = 0
    /// Streams and plain requests.
    package private(set) var openRequests = 0

    /// Side by side without gaps, so that the sweep can go round them; `places` says where a client stands.
    private var clients: [Client] = []
    private var places: [ClientKey: Int] = [:]
    private var sweepPlace = 0

    package init(limits: Limits) { self.limits = limits }

    /// Clients that are remembered, for they have a stream or have started one lately.
    package var knownClients: Int { clients.count }

    /// Takes a slot and a start for a stream of `client`; give it back with ``released(_:isStream:)``.
    ///
    /// The start is looked at last: who is told when to start again shall find nothing else in the way that was known.
    ///
    /// - Throws: The first bound that is reached; then nothing was taken.
    package mutating func admit(_ client: ClientKey, at now: Instant) throws(AdmissionError) {
        forgetTheIdle(at: now)
        let place = places[client]
        if let limit = limits.perClient, place.map({ clients[$0].openStreams }) ?? 0 >= limit {
            throw .tooManyStreamsOfClient(limit: limit)
        }
        if let limit = limits.perRoute, openStreams >= limit { throw .tooManyStreamsOfRoute(limit: limit) }
        if let limit = limits.upstreamStreams, openRequests >= limit { throw .upstreamBusy(limit: limit) }
        var nextStart = place.map { clients[$0].nextStart } ?? .distantPast
        if let starts = limits.starts {
            let wait = starts.wait(nextStart: nextStart, at: now)
            guard wait <= .zero else { throw .tooManyStarts(rate: starts.rate, retryAfter: wait) }
            nextStart = starts.taken(nextStart: nextStart, at: now)
        }
        let known = place ?? remember(client)
        clients[known].openStreams += 1
        clients[known].nextStart = nextStart
        openStreams += 1
        openRequests += 1
    }

    /// The response of an admitted request is no stream: gives back its stream's slot and start, keeps the upstream's.
    package mutating func turnedOutPlain(_ client: ClientKey) {
        let place = streamEnded(of: client)
        if let starts = limits.starts {
            clients[place].nextStart = starts.refunded(nextStart: clients[place].nextStart)
        }
    }

    /// An admitted request is over.
    ///
    /// - Parameters:
    ///   - client: As it was admitted.
    ///   - isStream: Whether it still counts as one, that is, ``turnedOutPlain(_:)`` was not called for it.
    package mutating func released(_ client: ClientKey, isStream: Bool = true) {
        precondition(openRequests > 0, "a release without an admission")
        openRequests -= 1
        if isStream { _ = streamEnded(of: client) }
    }

    /// What a client has left of its starts; `nil` where the route does not limit them.
    package func startsLeft(of client: ClientKey, at now: Instant) -> StartQuota? {
        limits.starts?.quota(nextStart: places[client].map { clients[$0].nextStart } ?? .distantPast, at: now)
    }

    /// Takes one open stream off; the client's place is told back.
    private mutating func streamEnded(of client: ClientKey) -> Int {
        // A client is only forgotten without open streams.
        guard let place = places[client], clients[place].openStreams > 0 else {
            preconditionFailure("the end of a stream that was not admitted")
        }
        clients[place].openStreams -= 1
        openStreams -= 1
        return place
    }

    private mutating func remember(_ client: ClientKey) -> Int {
        clients.append(Client(key: client))
        places[client] = clients.count - 1
        return clients.count - 1
    }

    /// Looks at the next four clients, and forgets those that would be treated like newcomers.
    ///
    /// Each admission may add one client. With k looks at each, a round of the sweep that began with n clients, L of
    /// them not to be forgotten, ends with at most n / (k - 1) + L: 2 would not converge, and 4 tends to 1.5 L.
    private mutating func forgetTheIdle(at now: Instant) {
        for _ in 0..<min(4, clients.count) {
            if sweepPlace >= clients.count { sweepPlace = 0 }
            if clients[sweepPlace].openStreams == 0, clients[sweepPlace].nextStart <= now {
                forget(at: sweepPlace)
            } else {
                sweepPlace += 1
            }
        }
    }

    /// The last client takes the place of the forgotten one.
    private mutating func forget(at place: Int) {
        clients.swapAt(place, clients.count - 1)
        let forgotten = clients.removeLast()
        places[forgotten.key] = nil
        if place < clients.count { places[clients[place].key] = place }
    }
}
