import Flow
import Observability
import Testing

@testable import Admin
@testable import Proxy

@Suite struct LiveSampleTests {
    private let start = Instant(nanoseconds: 5_000_000_000)

    private func sample(_ records: Int, _ bytes: Int, after time: Duration) -> LiveSample {
        var tally = RouteTally()
        (tally.records, tally.bytes) = (records, bytes)
        var figures = LoopFigures()
        figures.routes = ["/a": tally]
        return LiveSample(of: figures, at: start + time)
    }

    @Test func twoSamplesGiveARateWithOneDecimal() {
        let (earlier, later) = (sample(100, 1000, after: .zero), sample(250, 5000, after: .seconds(3)))
        #expect(later.recordsPerSecond(of: "/a", since: earlier) == 50)
        #expect(later.bytesPerSecond(of: "/a", since: earlier) == 1333.3)
    }

    @Test func aRouteThatIsNewCountsFromZero() {
        #expect(sample(4, 8, after: .seconds(2)).recordsPerSecond(of: "/a", since: LiveSample(at: start)) == 2)
        #expect(sample(4, 8, after: .seconds(2)).recordsPerSecond(of: "/b", since: LiveSample(at: start)) == 0)
    }

    @Test func noTimeIsNoRate() {
        #expect(sample(4, 8, after: .zero).recordsPerSecond(of: "/a", since: LiveSample(at: start)) == 0)
    }
}
