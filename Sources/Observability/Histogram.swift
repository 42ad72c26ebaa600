/// The number of durations below each of a series of bounds, as Prometheus counts them.
package struct Histogram: Equatable, Sendable {
    /// From a request that the upstream refused to a stream of a whole day.
    package static let streamBounds: [Duration] = [
        .milliseconds(10), .milliseconds(100), .seconds(1), .seconds(5), .seconds(15), .seconds(60), .seconds(300),
        .seconds(900), .seconds(3600), .seconds(4 * 3600), .seconds(12 * 3600), .seconds(24 * 3600),
    ]

    /// Around the tick of a loop's timers, below which a delay cannot be measured.
    package static let lagBounds: [Duration] = [
        .milliseconds(1), .milliseconds(2), .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50),
        .milliseconds(100), .milliseconds(250), .seconds(1),
    ]

    /// Ascending.
    package let bounds: [Duration]
    /// The count between each bound and the one before; the last count is of durations above all bounds.
    private var counts: [Int]
    package private(set) var sum = Duration.zero

    package init(bounds: [Duration]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package var count: Int { counts.reduce(0, +) }

    /// The number of durations up to each bound.
    package var cumulative: [Int] {
        var below = 0
        return counts.dropLast().map { count in
            below += count
            return below
        }
    }

    package mutating func observe(_ duration: Duration) {
        counts[bounds.firstIndex { duration <= $0 } ?? bounds.count] += 1
        sum += duration
    }

    /// Adds the counts of another loop with the same bounds.
    package static func += (left: inout Histogram, right: Histogram) {
        precondition(left.bounds == right.bounds, "histograms with different bounds")
        for index in left.counts.indices { left.counts[index] += right.counts[index] }
        left.sum += right.sum
    }
}
