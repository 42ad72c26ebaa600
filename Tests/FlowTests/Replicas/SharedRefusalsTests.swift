import Flow
import TestSupport
import Testing

@Suite struct SharedRefusalsTests {
    private func key(_ number: Int) -> StoreKey { StoreKey(.starts, route: "\(number)") }

    @Test func answersRepeatsUntilTheTime() {
        var refusals = SharedRefusals()
        refusals.refused(key(1), until: .seconds(2), at: .seconds(0))
        #expect(refusals.wait(for: key(1), at: .seconds(0.5)) == .seconds(1.5))
        #expect(refusals.wait(for: key(1), at: .seconds(2)) == nil)
        #expect(refusals.wait(for: key(2), at: .seconds(0)) == nil)
    }

    @Test func aRefundEndsIt() {
        var refusals = SharedRefusals()
        refusals.refused(key(1), until: .seconds(2), at: .seconds(0))
        refusals.mayStart(key(1))
        #expect(refusals.wait(for: key(1), at: .seconds(0)) == nil)
    }

    @Test func theNumberIsBounded() {
        var refusals = SharedRefusals()
        for number in 0..<SharedRefusals.capacity + 100 {
            refusals.refused(key(number), until: .seconds(1000), at: .seconds(0))
        }
        #expect(refusals.count == SharedRefusals.capacity)
        #expect(refusals.wait(for: key(0), at: .seconds(0)) == nil)
        #expect(refusals.wait(for: key(SharedRefusals.capacity), at: .seconds(0)) == .seconds(1000))
    }

    @Test func thoseThatHaveExpiredAreRemovedWhileOthersAreAdded() {
        var refusals = SharedRefusals()
        for number in 0..<1000 {
            let now = Double(number)
            refusals.refused(key(number), until: .seconds(now + 2), at: .seconds(now))
        }
        #expect(refusals.count <= 4)
    }
}
