/// Keys whose last response was not shareable: for some seconds their requests do not wait for one.
///
/// Bounded: with more keys than that, the oldest mark ends early, which costs one request to the upstream.
package struct RefusedKeys: Sendable {
    private let capacity: Int
    private let duration: Duration
    private var until: [SharingKey: Instant] = [:]
    private var order = Ring<SharingKey>()

    package init(for duration: Duration, capacity: Int) { (self.duration, self.capacity) = (duration, capacity) }

    package mutating func mark(_ key: SharingKey, at now: Instant) {
        if until.updateValue(now + duration, forKey: key) == nil { order.append(key) }
        while let oldest = order.first, until.count > capacity || until[oldest].map({ $0 <= now }) ?? true {
            order.removeFirst()
            until[oldest] = nil
        }
    }

    package func contains(_ key: SharingKey, at now: Instant) -> Bool { until[key].map { $0 > now } ?? false }
}
