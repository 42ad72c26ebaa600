import Flow
import Observability
import Proxy

/// The records and bytes that each route has sent up to an instant; two samples give a rate.
struct LiveSample: Sendable {
    let at: Instant
    private var records: [String: Int] = [:]
    private var bytes: [String: Int] = [:]

    /// Before anything was counted.
    init(at now: Instant) { at = now }

    init(of figures: LoopFigures, at now: Instant) {
        at = now
        records = figures.routes.mapValues(\.records)
        bytes = figures.routes.mapValues(\.bytes)
    }

    func recordsPerSecond(of route: String, since earlier: LiveSample) -> Double {
        perSecond(\.records, of: route, since: earlier)
    }

    func bytesPerSecond(of route: String, since earlier: LiveSample) -> Double {
        perSecond(\.bytes, of: route, since: earlier)
    }

    private func perSecond(
        _ count: KeyPath<LiveSample, [String: Int]>, of route: String, since earlier: LiveSample
    ) -> Double {
        let time = (at - earlier.at).inSeconds
        let change = self[keyPath: count][route, default: 0] - earlier[keyPath: count][route, default: 0]
        // One decimal: more would be noise.
        return time > 0 ? (Double(change) / time * 10).rounded() / 10 : 0
    }
}
