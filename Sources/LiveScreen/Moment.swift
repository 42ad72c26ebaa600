/// A snapshot, with the trends of its routes until then.
struct Moment: Sendable {
    let snapshot: AdminSnapshot
    /// In seconds, on a monotonic clock.
    let time: Double
    private let trends: [String: Trend]

    /// - Parameters:
    ///   - snapshot: The response.
    ///   - previous: The moment before it; `nil` for the first one.
    ///   - time: In seconds, on a monotonic clock.
    init(_ snapshot: AdminSnapshot, after previous: Moment?, at time: Double) {
        // A lower uptime than before: weir was restarted, and the earlier trends are not its own.
        let isSame = previous.map { $0.snapshot.uptime <= snapshot.uptime } ?? false
        let before = isSame ? previous?.trends ?? [:] : [:]
        var trends: [String: Trend] = [:]
        for route in snapshot.routes {
            trends[route.route, default: before[route.route] ?? Trend()].add(route.bytesPerSecond, at: time)
        }
        (self.snapshot, self.time, self.trends) = (snapshot, time, trends)
    }

    /// The bytes per second of a route, as this number of means of equal times; `nil` for a time without a snapshot.
    func trend(of route: String, count: Int) -> [Double?] {
        trends[route, default: Trend()].means(count: count, until: time)
    }
}
