package import Flow

/// The changes of the last minute, from totals that only grow.
///
/// It keeps samples of the totals at most five seconds apart; the difference to the oldest is the minute's. So it
/// covers 60 to 65 seconds, or the time since its creation if that is shorter, with at most 14 samples.
package struct HealthWindow: Sendable {
    package struct Totals: Equatable, Sendable {
        package var records: Int
        /// Requests that ended, and the ones of them that failed because of the upstream or the proxy.
        package var ends: Int
        package var faults: Int

        package init(records: Int = 0, ends: Int = 0, faults: Int = 0) {
            (self.records, self.ends, self.faults) = (records, ends, faults)
        }
    }

    /// The growth of the totals, and its time.
    package struct Change: Equatable, Sendable {
        package var totals = Totals()
        package var time = Duration.zero

        package init() {}

        package init(totals: Totals, time: Duration) { (self.totals, self.time) = (totals, time) }

        package var recordsPerSecond: Double { time > .zero ? Double(totals.records) / time.inSeconds : 0 }
        package var faultShare: Double { totals.ends > 0 ? Double(totals.faults) / Double(totals.ends) : 0 }

        /// Adds the change of another loop in the same time.
        package static func += (left: inout Change, right: Change) {
            left.totals.records += right.totals.records
            left.totals.ends += right.totals.ends
            left.totals.faults += right.totals.faults
            left.time = max(left.time, right.time)
        }
    }

    package static let length = Duration.seconds(60)
    package static let step = Duration.seconds(5)

    /// The oldest first; never empty.
    private var samples: [(at: Instant, totals: Totals)]

    package init(at now: Instant) { samples = [(now, Totals())] }

    /// Adds a sample; to be called at least once per step.
    package mutating func passed(_ totals: Totals, at now: Instant) {
        guard let last = samples.last, now - last.at >= Self.step else { return }
        samples.append((now, totals))
        // The oldest one is needed until the next one is old enough.
        while samples.count > 1, now - samples[1].at >= Self.length { samples.removeFirst() }
    }

    package func change(to totals: Totals, at now: Instant) -> Change {
        let oldest = samples.last { now - $0.at >= Self.length } ?? samples[0]
        return Change(
            totals: Totals(
                records: totals.records - oldest.totals.records, ends: totals.ends - oldest.totals.ends,
                faults: totals.faults - oldest.totals.faults), time: now - oldest.at)
    }
}
