import Flow
import Settings

extension ProxyRoute {
    /// The breakers that are not closed; those of upstreams first.
    ///
    /// - Complexity: O(clients that failed recently), under the gate's lock.
    func openBreakers(atMost limit: Int, at now: Instant) -> [BreakerReport] {
        let (upstreams, clients) = gate.withState { state in
            (state.upstreams.statuses(at: now), state.clientBreakers?.notClosed(atMost: limit, at: now) ?? [])
        }
        var reports: [BreakerReport] = []
        for upstream in upstreams {
            guard let state = upstream.state, state != .closed else { continue }
            reports.append(
                BreakerReport(
                    route: name, kind: .upstream, name: upstream.name, state: state, openFor: upstream.openFor))
        }
        reports += clients.map {
            BreakerReport(route: name, kind: .client, name: shown($0.client), state: $0.state, openFor: $0.openFor)
        }
        return Array(reports.prefix(limit))
    }

    /// Closes a breaker that is not closed, as if nothing had failed; its probes no longer count.
    ///
    /// - Returns: Whether there was one of this name.
    /// - Complexity: O(clients that failed recently), under the gate's lock.
    func resetBreaker(_ kind: BreakerKind, of name: String, at now: Instant) -> Bool {
        let hasClosed = gate.withState { state in
            switch kind {
            case .upstream: return state.upstreams.reset(name, at: now)
            case .client:
                // A shown name may be a part or a hash of the key: it means every client that has it.
                let open = state.clientBreakers?.notClosed(atMost: .max, at: now) ?? []
                let meant = open.filter { shown($0.client) == name }
                for breaker in meant { state.clientBreakers?.reset(breaker.client, at: now) }
                return !meant.isEmpty
            }
        }
        if hasClosed { gate.breakerChanged(kind, .closed) }
        return hasClosed
    }

    /// The client's name for operators: the value of a header may be a secret, an address is not.
    func shown(_ client: ClientKey) -> String {
        switch settings.clientKey {
        case .address, .certificate: client.text
        case .header: "#" + ShortHash.text(of: client, digits: 8)
        }
    }
}
