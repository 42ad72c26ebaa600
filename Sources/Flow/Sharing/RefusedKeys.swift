/// Keys whose last response was not shareable: for some seconds their requests do not wait for one.
///
/// Bounded in number, and 32 bytes each whatever the request's target: with more keys than that, the oldest mark ends early,
/// which costs one request to the upstream. Marks that have ended are removed by the next call.
package struct RefusedKeys: Sendable {
    private let capacity: Int
    private let duration: Duration
    /// Two keys of one digest would only be refused together.
    private var until: [KeyedDigest: Instant] = [:]
    private var order = Ring<KeyedDigest>()

    package init(for duration: Duration, capacity: Int) { (self.duration, self.capacity) = (duration, capacity) }

    /// Marks that have not been removed.
    package var count: Int { until.count }

    package mutating func mark(_ key: SharingKey, at now: Instant) {
        let key = KeyedDigest { $0.combine(key) }
        if until.updateValue(now + duration, forKey: key) == nil { order.append(key) }
        purge(at: now)
    }

    /// Whether a key is marked.
    ///
    /// - Complexity: O(1) without marks, else O(bytes of the key), and amortised O(1) for the removal.
    package mutating func contains(_ key: SharingKey, at now: Instant) -> Bool {
        guard !until.isEmpty else { return false }
        purge(at: now)
        return until[KeyedDigest { $0.combine(key) }].map { $0 > now } ?? false
    }

    private mutating func purge(at now: Instant) {
        while let oldest = order.first, until.count > capacity || until[oldest].map({ $0 <= now }) ?? true {
            order.removeFirst()
            until[oldest] = nil
        }
    }
}
