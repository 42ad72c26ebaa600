/// What a value was over the last five minutes; as bars beside each other, the newest to the right.
struct Trend: Sendable {
    /// In seconds.
    static let span = 300.0
    /// More than come in the time at the shortest interval.
    private static let most = 1200

    /// A mean, and the time it is that of.
    private struct Sample {
        var from: Double
        var to: Double
        var value: Double
    }

    private var samples: [Sample] = []

    /// - Parameters:
    ///   - value: The mean since the last one was added; of the first one only the end is known.
    ///   - time: In seconds, on a clock that only goes on.
    mutating func add(_ value: Double, at time: Double) {
        samples.append(Sample(from: samples.last?.to ?? time, to: time, value: value))
        let kept = samples.suffix(Self.most).drop { $0.to <= time - Self.span }
        if kept.count < samples.count { samples = Array(kept) }
    }

    /// Means over as many equal parts of the time until `now`; `nil` where nothing is known of a part.
    ///
    /// - Complexity: O(`count` × samples).
    func means(count: Int, until now: Double) -> [Double?] {
        let part = Self.span / Double(max(1, count))
        return (0..<max(0, count)).map { place in
            mean(from: now - Self.span + part * Double(place), to: now - Self.span + part * Double(place + 1))
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

/// What the heights of bars are drawn with.
package enum Bars: Sendable {
    /// The eighths of a block; needs a terminal that knows Unicode.
    case blocks
    case ascii

    private var heights: [Character] { Array(self == .blocks ? "▁▂▃▄▅▆▇█" : ".:-=+*#@") }

    /// One character for each value, the highest as high as there is; a space where there is none.
    func text(_ values: [Double?]) -> String {
        let heights = heights, highest = values.reduce(0) { max($0, $1 ?? 0) }
        return String(
            values.map { value in
                guard let value else { return " " }
                // Zero has a height of its own, so that the least that flows is told from nothing.
                guard value > 0 else { return heights[0] }
                return heights[1 + Int((value / highest * Double(heights.count - 2)).rounded(.down))]
            })
    }
}
