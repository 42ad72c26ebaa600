import TestSupport
import Testing

@testable import LogReport

@Suite struct DurationHistogramTests {
    @Test func knowsNothingBeforeTheFirst() {
        #expect(DurationHistogram().percentile(0.5) == nil)
    }

    @Test func oneDurationIsEveryPercentile() {
        for microseconds in [0, 1, 127, 128, 129, 1_000_000, 1_000_000_000_000_000, Int.max] {
            var histogram = DurationHistogram()
            histogram.add(microseconds)
            for part in [0.0, 0.5, 0.99, 1.0] {
                let reported = histogram.percentile(part) ?? -1
                #expect(abs(Double(reported) - Double(microseconds)) <= 0.008 * Double(microseconds))
                #expect(reported <= microseconds)
            }
        }
    }

    @Test(arguments: 0..<50) func agreesWithASortedArray(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var histogram = DurationHistogram(), other = DurationHistogram()
        var plain: [Int] = []
        let bits = Int.random(in: 1...50, using: &random)
        for _ in 0..<Int.random(in: 1...2000, using: &random) {
            let value = Int.random(in: 0..<(1 << Int.random(in: 1...bits, using: &random)), using: &random)
            plain.append(value)
            if Bool.random(using: &random) { histogram.add(value) } else { other.add(value) }
        }
        histogram.add(other)
        plain.sort()
        #expect(histogram.count == plain.count)
        #expect(histogram.longest == plain.last)
        for part in [0.01, 0.5, 0.9, 0.99, 1] {
            let exact = plain[max(1, Int((part * Double(plain.count)).rounded(.up))) - 1]
            let reported = histogram.percentile(part) ?? -1
            #expect(abs(Double(reported - exact)) <= 0.008 * Double(exact), "\(part) of \(plain.count)")
        }
    }
}
