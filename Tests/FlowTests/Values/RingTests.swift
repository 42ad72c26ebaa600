import Testing

@testable import Flow

@Suite struct RingTests {
    @Test func positionsDoNotChangeWhenOthersAreAddedAndRemoved() {
        var ring = Ring<Int>()
        for number in 0..<100 { ring.append(number) }
        for _ in 0..<60 { ring.removeFirst() }
        for number in 100..<150 { ring.append(number) }
        #expect((ring.startPosition..<ring.endPosition).map { ring[$0] } == Array(60..<150))
        #expect(ring.startPosition == 60)
        ring[75] = -1
        #expect(ring[75] == -1)
        ring.removeLast()
        #expect(ring.first == 60 && ring.last == 148 && ring.endPosition == 149)
    }

    @Test func positionsContinueAfterTheRingWasEmpty() {
        var ring = Ring<Int>()
        ring.append(1)
        ring.removeFirst()
        #expect(ring.isEmpty && ring.first == nil && ring.last == nil && ring.startPosition == 1)
        ring.append(2)
        #expect(ring[1] == 2)
    }
}
