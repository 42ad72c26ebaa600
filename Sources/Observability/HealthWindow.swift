package import Flow

/// What has come about within the last minute, from totals that only ever grow.
///
/// It keeps the totals as they were at most five seconds apart; the difference to the oldest of them is the minute's. So
/// it looks back 60 to 65 seconds, or to its beginning where that is later, and holds 14 samples at most.
package struct HealthWindow: Sendable {
    package struct Totals: Equatable, Sendable {
        package var records: Int
        /// Requests that ended, and of these the ones that were the upstream's or the proxy's fault.
        package var ends: Int
        package var faults: Int

        package init(records: Int = 0, ends: Int = 0, faults: Int = 0) {
            (self.records, self.ends, self.faults) = (records, ends, faults)
        }
    }

    /// The growth of the totals, and in what time.
    package struct Change: Equatable, Sendable {
        package var totals = Totals()
        package var time = Duration.zero

        package init() {}

        package init(totals: Totals, time: Duration) { (self.totals, self.time) = (totals, time) }

        package var recordsPerSecond: Double { time > .zero ? Double(totals.records) / time.inSeconds : 0 }
        package var faultShare: Double { totals.ends > 0 ? Double(totals.faults) / Double(totals.ends) : 0 }

        /// Joins what two loops have seen in the same time.
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

    /// To be told at least as often as a step; keeps what it needs of it.
    package mutating func passed(_ totals: Totals, at now: Instant) {
        guard let last = samples.last, now - last.at >= Self.step else { return }
        samples.append((now, totals))
        // The oldest one is needed until the next one has the age.
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
