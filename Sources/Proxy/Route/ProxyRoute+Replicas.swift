import Flow
import Settings

// The limits of a route that count over all replicas.

extension ProxyRoute {
    /// Whether limits of a start or of a stream count over all replicas.
    var sharesLimits: Bool { sharedName != nil }

    /// Whether starts, open streams or records of a client count over all replicas.
    func countsOverReplicas(_ tier: String?) -> Bool {
        let streams = settings.streams(of: tier)
        return streams.scope == .replicas || streams.recordScope == .replicas
    }

    /// The limits over all replicas of a client's start, in the order in which a refusal names them.
    ///
    /// Those on open streams hold for this replica alone as well (``GateRules``), which needs no store.
    func sharedLimits(of client: ClientKeys, tier: String?) -> [SharedLimit] {
        let streams = settings.streams(of: tier)
        guard streams.scope == .replicas else { return [] }
        var limits: [SharedLimit] = []
        limits.reserveCapacity(3)
        if let limit = streams.perClient { limits.append(.streams(client.streams, limit: limit)) }
        if let limit = streams.perRoute { limits.append(.streams(client.streamsOfRoute, limit: limit)) }
        if let starts = streams.startAllowance { limits.append(.starts(client.starts, starts)) }
        return limits
    }

    /// The name of a client's breaker at all replicas; `nil` if this one's are its own.
    func breakerKey(of client: ClientKey) -> BreakerKey? {
        guard let sharedName, settings.breaker?.scope == .replicas else { return nil }
        return BreakerKey(route: sharedName, client: client)
    }

    /// Opens a client's breaker if another replica has opened its own.
    func applyOpening(of client: ClientKey, at now: Instant) {
        guard let replicas, let sharedName, settings.breaker?.scope == .replicas,
            let end = replicas.takeOpening(BreakerKey(route: sharedName, client: client), at: now)
        else { return }
        gate.withState { $0.clientBreakers?.opened(client, until: end, at: now) }
    }

    /// The limits on a client that its responses describe.
    func describedLimits(of tier: String?) -> Admission.Limits {
        let streams = settings.streams(of: tier)
        var limits = gate.rules.limits(of: tier)
        if streams.scope == .replicas { limits.starts = streams.startAllowance }
        return limits
    }
}

extension Route.StreamLimits {
    fileprivate var startAllowance: StartAllowance? { starts.map { StartAllowance(rate: $0, burst: startsBurst) } }
}

extension RouteMatch {
    /// A name that only equal matches have, and that is the same at every replica.
    var sharedName: String {
        let place = (host?.lowercased() ?? "") + path
        guard hasConditions || !methods.isEmpty else { return place }
        let parts =
            methods + query.flatMap { ["?", $0.name, $0.value] }
            + headers.flatMap { [":", $0.name.lowercased(), $0.value] }
        let text = parts.map { "\($0.utf8.count) \($0)" }.joined()
        return "\(place)#\(SHA256.hexDigest(of: Array(text.utf8), digits: 16))"
    }
}

extension AdmissionError {
    /// The refusal by a limit over all replicas.
    init(_ limit: SharedLimit, wait: Duration) {
        switch limit {
        case .starts(_, let allowance): self = .tooManyStarts(rate: allowance.rate, retryAfter: wait)
        case .streams(let key, let limit):
            self = key.isOfClient ? .tooManyStreamsOfClient(limit: limit) : .tooManyStreamsOfRoute(limit: limit)
        }
    }
}
