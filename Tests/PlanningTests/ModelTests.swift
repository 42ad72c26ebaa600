import Flow
import Testing

@testable import Planning

/// The modelled sockets and upstreams of a plan.
@Suite struct ModelTests {
    private func second(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    @Test func aSocketTakesWhatItHasRoomForAndThenWhatIsRead() {
        var socket = ModelSocket(capacity: 1000, readRate: 100, at: second(0))
        #expect(socket.write(1000, at: second(0)) == nil && socket.taken(at: second(0)) == 1000)
        // 100 bytes were read since.
        #expect(socket.write(300, at: second(1)) == second(3) && socket.pending == 200)
        #expect(socket.taken(at: second(2)) == 1200 && socket.pending == 100)
        socket.tookAll(at: second(3))
        #expect(socket.pending == 0 && socket.taken(at: second(3)) == 1300)
    }

    @Test func aSocketThatIsNotReadNeverHasRoomAgain() {
        var socket = ModelSocket(capacity: 10, readRate: 0, at: second(0))
        #expect(socket.write(11, at: second(0)) == .distantFuture && socket.pending == 1)
        #expect(socket.taken(at: second(1000)) == 10)
        var fast = ModelSocket(capacity: .infinity, readRate: .infinity, at: second(0))
        #expect(fast.write(1 << 40, at: second(1)) == nil)
    }

    @Test func anUpstreamHasItsRecordsInTimeAndIsBlockedWhenTheyAreNotRead() {
        var upstream = ModelUpstream(rate: 10, mostWaiting: 5, at: second(0))
        #expect(upstream.available(at: second(0)) == 1)
        upstream.take(1)
        #expect(upstream.next == second(0.1) && upstream.available(at: second(0.05)) == 0)
        #expect(upstream.available(at: second(0.35)) == 3)
        #expect(upstream.available(at: second(100)) == 5)
        upstream.take(5)
        #expect(upstream.available(at: second(100)) == 0 && upstream.available(at: second(100.25)) == 2)
    }

    @Test func valuesLeaveTheQueueInTheOrderOfTheirTimes() {
        var queue = EventQueue<Int>()
        let times = (0..<1000).map { Int64($0 * 7919 % 500) }
        for (index, time) in times.enumerated() { queue.add(index, at: time) }
        var taken: [(time: Int64, event: Int)] = []
        while let next = queue.removeFirst() { taken.append(next) }
        let expected = times.enumerated().map { ($0.element, $0.offset) }.sorted { $0 < $1 }
        #expect(taken.map(\.event) == expected.map(\.1) && taken.map(\.time) == expected.map(\.0))
    }
}
