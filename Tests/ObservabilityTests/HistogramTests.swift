import Flow
import Observability
import Testing

@Suite struct HistogramTests {
    private let bounds: [Duration] = [.milliseconds(10), .seconds(1)]

    @Test func countsEachDurationUnderTheBoundsThatItDoesNotExceed() {
        var histogram = Histogram(bounds: bounds)
        for duration in [Duration.zero, .milliseconds(10), .milliseconds(11), .seconds(1), .seconds(2)] {
            histogram.observe(duration)
        }
        #expect(histogram.cumulative == [2, 4])
        #expect(histogram.buckets == [2, 2, 1])
        #expect(histogram.bounds == bounds)
        #expect(histogram.count == 5)
        #expect(histogram.sum == .milliseconds(3021))
    }

    @Test func theTimeBetweenTwoInstantsIsADuration() {
        var histogram = Histogram(bounds: bounds)
        histogram.observe(from: Instant(nanoseconds: 5), to: Instant(nanoseconds: 10_000_005))
        histogram.observe(from: Instant(nanoseconds: 5), to: Instant(nanoseconds: 10_000_006))
        #expect(histogram.buckets == [1, 1, 0])
        #expect(histogram.sum == .nanoseconds(20_000_001))
    }

    @Test(arguments: [Histogram.streamBounds, Histogram.requestBounds, Histogram.lagBounds])
    func itsBoundsRise(_ bounds: [Duration]) {
        #expect(bounds == bounds.sorted())
        #expect(Set(bounds).count == bounds.count)
    }

    @Test(arguments: 0..<20)
    func joinedItIsAsIfOneHadSeenAll(seed: Int) {
        var state = UInt64(seed) &+ 1
        let bounds: [Duration] = [.milliseconds(500), .seconds(1)]
        var parts = [Histogram(bounds: bounds), Histogram(bounds: bounds)]
        var whole = Histogram(bounds: bounds)
        for _ in 0..<50 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let duration = Duration.microseconds(Int64(state >> 43))
            parts[Int(state >> 33) % 2].observe(duration)
            whole.observe(duration)
        }
        parts[0] += parts[1]
        #expect(parts[0] == whole)
        #expect(whole.cumulative[0] > 0 && whole.cumulative[0] < whole.count)
    }
}
