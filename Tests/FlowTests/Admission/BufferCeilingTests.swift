import Flow
import TestSupport
import Testing

@Suite struct BufferCeilingTests {
    private let ceiling = BufferCeiling(maximum: ByteCount(1_000_000))
    private let negotiated = BufferCeiling.Buffer(records: 100, bytes: ByteCount(200_000))

    @Test(arguments: [0, 500_000, 799_999, 800_000])
    func belowFourFifthsABufferIsAsNegotiated(used: Int) {
        #expect(ceiling.granted(negotiated, used: ByteCount(used)) == negotiated)
    }

    @Test(arguments: [(850_000, 75, 150_000), (900_000, 50, 100_000), (950_000, 25, 50_000), (980_000, 10, 20_000)])
    func aboveThatItShrinksInALine(used: Int, records: Int, bytes: Int) {
        #expect(
            ceiling.granted(negotiated, used: ByteCount(used)) == .init(records: records, bytes: ByteCount(bytes)))
    }

    @Test func itNeverShrinksBelowTheFloor() {
        #expect(
            ceiling.granted(negotiated, used: ByteCount(999_999))
                == .init(records: BufferCeiling.floorRecords, bytes: BufferCeiling.floorBytes))
        let small = BufferCeiling.Buffer(records: 1, bytes: ByteCount(100))
        #expect(ceiling.granted(small, used: ByteCount(999_999)) == small)
    }

    @Test(arguments: [1_000_000, 1_000_001, 5_000_000])
    func atTheCeilingNoBufferIsGranted(used: Int) {
        #expect(ceiling.granted(negotiated, used: ByteCount(used)) == nil)
    }

    @Test func theLargestSizesDoNotOverflow() {
        let ceiling = BufferCeiling(maximum: ByteCount(.max))
        let largest = BufferCeiling.Buffer(records: .max, bytes: ByteCount(.max))
        #expect(ceiling.granted(largest, used: ceiling.mark) == largest)
        #expect(ceiling.granted(largest, used: ByteCount(.max - 1)) != nil)
        #expect(BufferCeiling(maximum: .zero).granted(largest, used: .zero) == nil)
        #expect(BufferCeiling(maximum: ByteCount(1)).granted(negotiated, used: .zero) == negotiated)
    }

    @Test func everyLoopGivesUpItsPartOfTheExcess() {
        #expect(ceiling.excess(used: ByteCount(1_000_000), heldByLoop: ByteCount(1_000_000)) == .zero)
        #expect(ceiling.excess(used: ByteCount(1_250_000), heldByLoop: ByteCount(1_000_000)) == ByteCount(200_000))
        #expect(ceiling.excess(used: ByteCount(1_250_000), heldByLoop: ByteCount(250_000)) == ByteCount(50_000))
        #expect(ceiling.excess(used: ByteCount(1_000_001), heldByLoop: ByteCount(1)) == ByteCount(1))
        #expect(ceiling.excess(used: ByteCount(1_250_000), heldByLoop: .zero) == .zero)
    }

    @Test func theLargestHoldersEndFirstAndNoMoreThanNeeded() {
        let held = [300_000, 50_000, 400_000, 250_000, 350_000].map(ByteCount.init)
        #expect(ceiling.streamsToEnd(holding: held, excess: ByteCount(1), openStreams: 5) == [2])
        #expect(ceiling.streamsToEnd(holding: held, excess: ByteCount(400_000), openStreams: 5) == [2])
        #expect(ceiling.streamsToEnd(holding: held, excess: ByteCount(400_001), openStreams: 5) == [2, 4])
        #expect(ceiling.streamsToEnd(holding: held, excess: .zero, openStreams: 5) == [])
    }

    @Test func aHolderOfItsFairShareDoesNotEnd() {
        let held = [200_000, 200_001, 200_000].map(ByteCount.init)
        #expect(ceiling.streamsToEnd(holding: held, excess: ByteCount(600_000), openStreams: 5) == [1])
        #expect(ceiling.streamsToEnd(holding: [], excess: ByteCount(1), openStreams: 0) == [])
    }

    @Test(arguments: 0..<100) func theExcessIsReleasedAndFairHoldersStay(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let loops = (0..<Int.random(in: 1...4, using: &random)).map { _ in
            (0..<Int.random(in: 1...50, using: &random)).map { _ in
                ByteCount(Int.random(in: 0...100_000, using: &random))
            }
        }
        let open = loops.reduce(0) { $0 + $1.count }
        let used = loops.joined().reduce(.zero, +)
        let ceiling = BufferCeiling(maximum: ByteCount(Int.random(in: 1...(used.bytes + 1), using: &random)))
        var freed = 0, isEachLoopDone = true
        for held in loops {
            let excess = ceiling.excess(used: used, heldByLoop: held.reduce(.zero, +))
            let ended = ceiling.streamsToEnd(holding: held, excess: excess, openStreams: open)
            let freedHere = ended.reduce(0) { $0 + held[$1].bytes }
            let heavy = held.indices.filter { held[$0].bytes > ceiling.maximum.bytes / open }
            #expect(Set(ended).count == ended.count)
            #expect(Set(ended).isSubset(of: heavy))
            #expect(freedHere >= excess.bytes || ended.count == heavy.count)
            // Without the last of them an excess would remain, and no remaining stream holds more than it.
            if let last = ended.last {
                #expect(freedHere - held[last].bytes < excess.bytes)
                #expect(heavy.allSatisfy { ended.contains($0) || held[$0] <= held[last] })
            }
            freed += freedHere
            isEachLoopDone = isEachLoopDone && freedHere >= excess.bytes
        }
        if isEachLoopDone { #expect(used.bytes - freed <= ceiling.maximum.bytes) }
        if used > ceiling.maximum { #expect(freed > 0) }
    }
}
