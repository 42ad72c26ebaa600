/// The values of the last five minutes, shown as bars side by side, the newest to the right.
struct Trend: Sendable {
    /// In seconds.
    static let span = 300.0
    /// More than the samples of that time at the shortest interval.
    private static let most = 1200
    /// No means of values up to this one are infinite.
    private static let largestValue = 1e18

    /// A mean, and its period.
    private struct Sample {
        var from: Double
        var to: Double
        var value: Double
    }

    private var samples: [Sample] = []

    /// Adds a value.
    ///
    /// - Parameters:
    ///   - value: The mean since the previous one was added; for the first one only the end is known.
    ///   - time: In seconds, on a monotonic clock.
    mutating func add(_ value: Double, at time: Double) {
        samples.append(Sample(from: samples.last?.to ?? time, to: time, value: min(value, Self.largestValue)))
        let kept = samples.suffix(Self.most).drop { $0.to <= time - Self.span }
        if kept.count < samples.count { samples = Array(kept) }
    }

    /// The means of `count` equal parts of the time until `now`; `nil` for a part without a value.
    ///
    /// - Complexity: O(`count` × samples).
    func means(count: Int, until now: Double) -> [Double?] {
        let part = Self.span / Double(max(1, count))
        return (0..<max(0, count)).map { index in
            mean(from: now - Self.span + part * Double(index), to: now - Self.span + part * Double(index + 1))
        }
    }

    private func mean(from start: Double, to end: Double) -> Double? {
        var time = 0.0, sum = 0.0
        for sample in samples {
            let shared = min(sample.to, end) - max(sample.from, start)
            guard shared > 0 else { continue }
            time += shared
            sum += shared * sample.value
        }
        return time > 0 ? sum / time : nil
    }
}
