import TestSupport
import Testing

@testable import Flow

@Suite struct HoldClockTests {
    private let limit = TimeLimit(.seconds(8))

    @Test func aReaderThatTakesNothingIsOverTheLimit() {
        var clock = HoldClock()
        for second in 0..<8 { #expect(clock.looked(at: 5, limit: limit, at: .seconds(Double(second))) == false) }
        #expect(clock.looked(at: 5, limit: limit, at: .seconds(8)) == true)
    }

    @Test func eachRecordRestartsIt() {
        var clock = HoldClock()
        for second in 0..<100 {
            #expect(clock.looked(at: second / 8, limit: limit, at: .seconds(Double(second))) == false)
        }
    }

    @Test func aReaderForWhichThePullDoesNotWaitIsNeverOverIt() {
        var clock = HoldClock()
        #expect(clock.looked(at: 5, limit: limit, at: .seconds(0)) == false)
        #expect(clock.looked(at: nil, limit: limit, at: .seconds(7)) == false)
        #expect(clock.looked(at: 5, limit: limit, at: .seconds(8)) == false)
        #expect(clock.looked(at: 5, limit: limit, at: .seconds(15)) == false)
        #expect(clock.looked(at: 5, limit: limit, at: .seconds(16)) == true)
    }

    @Test(arguments: 0..<50) func whateverTheMomentItIsOverWithinTwoEighths(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var clock = HoldClock()
        var (now, looks) = (Instant.seconds(0), 0)
        let last = Instant.seconds(Double.random(in: 1...30, using: &random))
        while !clock.looked(at: now < last ? looks : .max, limit: limit, at: now), looks < 100 {
            now = HoldClock.nextLook(after: now, limit: limit)
            looks += 1
        }
        #expect(now - last >= .seconds(8) && now - last <= .seconds(10))
    }
}
