/// Starts that the store has refused until a time: repeats are answered without a call, with an exact `Retry-After`.
///
/// At most ``capacity`` entries; a new one takes the place of the oldest, whose client then costs a call again.
package struct SharedRefusals: Sendable {
    package static let capacity = 4096

    private var refusedUntil: [StoreKey: Instant] = [:]
    private var order = Ring<StoreKey>()

    package init() {}

    package var count: Int { refusedUntil.count }

    /// The time until the start is possible; `nil` if the store may be asked.
    package func wait(for key: StoreKey, at now: Instant) -> Duration? {
        guard !refusedUntil.isEmpty, let until = refusedUntil[key], until > now else { return nil }
        return until - now
    }

    package mutating func refused(_ key: StoreKey, until: Instant, at now: Instant) {
        removeExpired(at: now)
        if refusedUntil[key] == nil {
            while refusedUntil.count >= Self.capacity { removeOldest() }
            order.append(key)
        }
        refusedUntil[key] = until
    }

    /// The store may be asked again at once, as after a refund.
    package mutating func mayStart(_ key: StoreKey) { refusedUntil[key] = refusedUntil[key].map { _ in .distantPast } }

    private mutating func removeExpired(at now: Instant) {
        // Two at a time: one is added after each call, so that those that have expired are removed.
        for _ in 0..<2 {
            guard let oldest = order.first, let until = refusedUntil[oldest], until <= now else { return }
            removeOldest()
        }
    }

    private mutating func removeOldest() {
        guard let oldest = order.first else { return }
        refusedUntil[oldest] = nil
        order.removeFirst()
    }
}
