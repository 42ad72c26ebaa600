/// The starts that this replica admits while the store is not used: each limit at its rate divided by the replicas.
///
/// - Complexity: O(1) for each call; entries that are full again are removed.
package struct FallbackStarts: Sendable {
    private struct Next: Idling {
        var start = Instant.distantPast

        func isIdle(at now: Instant) -> Bool { start <= now }
    }

    private var clients = IdleTable<StoreKey, Next>()

    package init() {}

    package var knownKeys: Int { clients.count }

    /// The time until the start is possible; zero or less if it is now.
    func wait(_ key: StoreKey, _ allowance: StartAllowance, at now: Instant) -> Duration {
        allowance.wait(nextStart: next(key), at: now)
    }

    /// Takes a start that need not wait.
    mutating func take(_ key: StoreKey, _ allowance: StartAllowance, at now: Instant) {
        clients.sweep(at: now)
        let index = clients.index(of: key) ?? clients.append(Next(), for: key)
        clients[index].start = allowance.taken(nextStart: clients[index].start, at: now)
    }

    private func next(_ key: StoreKey) -> Instant { clients.index(of: key).map { clients[$0].start } ?? .distantPast }
}
