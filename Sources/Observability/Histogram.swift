package import Flow

/// The number of durations below each of a series of bounds, as Prometheus counts them.
package struct Histogram: Equatable, Sendable {
    /// From a request that the upstream refused to a stream of a whole day.
    package static let streamBounds: [Duration] = [
        .milliseconds(10), .milliseconds(100), .seconds(1), .seconds(5), .seconds(15), .seconds(60), .seconds(300),
        .seconds(900), .seconds(3600), .seconds(4 * 3600), .seconds(12 * 3600), .seconds(24 * 3600),
    ]

    /// From a response of a local service to the usual timeouts.
    package static let requestBounds: [Duration] = [
        .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50), .milliseconds(100),
        .milliseconds(250), .milliseconds(500), .seconds(1), .milliseconds(2500), .seconds(5), .seconds(10),
        .seconds(30), .seconds(60),
    ]

    /// Around the tick of a loop's timers, below which a delay cannot be measured.
    package static let lagBounds: [Duration] = [
        .milliseconds(1), .milliseconds(2), .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50),
        .milliseconds(100), .milliseconds(250), .seconds(1),
    ]

    /// Ascending, in nanoseconds: an observation compares integers.
    private let limits: [Int64]
    /// The count between each bound and the one before; the last count is of durations above all bounds.
    private var counts: [Int]
    package private(set) var sum = Duration.zero

    package init(bounds: [Duration]) {
        limits = bounds.map(\.nanoseconds)
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package var bounds: [Duration] { limits.map { .nanoseconds($0) } }

    package var count: Int { counts.reduce(0, +) }

    /// The count of each bucket: of the durations up to each bound and above the one before, then of those above all.
    package var buckets: [Int] { counts }

    /// The number of durations up to each bound.
    package var cumulative: [Int] {
        var below = 0
        return counts.dropLast().map { count in
            below += count
            return below
        }
    }

    package mutating func observe(_ duration: Duration) { observe(nanoseconds: duration.nanoseconds) }

    /// Observes the time from `earlier` to `later`.
    ///
    /// - Complexity: O(bounds), a comparison of integers for each up to the one that is not exceeded.
    package mutating func observe(from earlier: Instant, to later: Instant) {
        observe(nanoseconds: later.nanoseconds &- earlier.nanoseconds)
    }

    private mutating func observe(nanoseconds: Int64) {
        var index = 0
        while index < limits.count, nanoseconds > limits[index] { index += 1 }
        counts[index] += 1
        sum += .nanoseconds(nanoseconds)
    }

    /// Adds the counts of another loop with the same bounds.
    package static func += (left: inout Histogram, right: Histogram) {
        precondition(left.limits == right.limits, "histograms with different bounds")
        for index in left.counts.indices { left.counts[index] += right.counts[index] }
        left.sum += right.sum
    }
}
