/// Keys whose last response was not shareable: for some seconds their requests do not wait for one.
///
/// Bounded in number, and 32 bytes each whatever the request's target: with more keys than that, the oldest mark ends early,
/// which costs one request to the upstream. Marks that have ended are removed by the next call.
package struct RefusedKeys: Sendable {
    /// 128 bits of keyed hashes, as ``RecordKey`` has; two keys with equal ones would only be refused together.
    private struct Digest: Hashable {
        private let first, second: Int

        init(_ key: SharingKey) { (first, second) = (Self.hash(key, part: 1), Self.hash(key, part: 2)) }

        private static func hash(_ key: SharingKey, part: UInt8) -> Int {
            var hasher = Hasher()
            hasher.combine(part)
            hasher.combine(key)
            return hasher.finalize()
        }
    }

    private let capacity: Int
    private let duration: Duration
    private var until: [Digest: Instant] = [:]
    private var order = Ring<Digest>()

    package init(for duration: Duration, capacity: Int) { (self.duration, self.capacity) = (duration, capacity) }

    /// Marks that have not been removed.
    package var count: Int { until.count }

    package mutating func mark(_ key: SharingKey, at now: Instant) {
        let key = Digest(key)
        if until.updateValue(now + duration, forKey: key) == nil { order.append(key) }
        purge(at: now)
    }

    /// Whether a key is marked.
    ///
    /// - Complexity: O(1) without marks, else O(bytes of the key), and amortised O(1) for the removal.
    package mutating func contains(_ key: SharingKey, at now: Instant) -> Bool {
        guard !until.isEmpty else { return false }
        purge(at: now)
        return until[Digest(key)].map { $0 > now } ?? false
    }

    private mutating func purge(at now: Instant) {
        while let oldest = order.first, until.count > capacity || until[oldest].map({ $0 <= now }) ?? true {
            order.removeFirst()
            until[oldest] = nil
        }
    }
}
