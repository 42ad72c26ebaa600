import Flow
import Testing

@testable import Proxy

private func summary(_ fill: Double, paused: Int = 0, handle: String = "") -> StreamSummary {
    StreamSummary(
        handle: handle, route: "/", client: "", records: 0, bytes: 0, rate: "unlimited", buffer: 1, bufferRecords: 0,
        status: .flowing, fill: fill, paused: .seconds(paused), lasted: .zero)
}

@Suite struct SlowestStreamsTests {
    @Test func whateverTheOrderTheFullestAreKeptFullestFirst() {
        for stride in [1, 7, 999] {
            var slowest = SlowestStreams()
            for place in 0..<1000 { slowest.add(summary(Double(place * stride % 1000))) }
            #expect(slowest.streams.map(\.fill) == (950..<1000).reversed().map(Double.init))
        }
    }

    @Test func joinedLoopsGiveTheSlowestOfBoth() {
        var (left, right) = (SlowestStreams(), SlowestStreams())
        for place in 0..<200 {
            left.add(summary(Double(2 * place)))
            right.add(summary(Double(2 * place + 1)))
        }
        left += right
        #expect(left.streams.map(\.fill) == (350..<400).reversed().map(Double.init))
    }

    @Test func ofEquallyFullQueuesTheOneThatHasWaitedLongerIsSlower() {
        var slowest = SlowestStreams()
        slowest.add(summary(1, paused: 1, handle: "b"))
        slowest.add(summary(1, paused: 2, handle: "a"))
        #expect(slowest.streams.map(\.handle) == ["a", "b"])
    }
}
