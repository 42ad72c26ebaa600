import TestSupport
import Testing

@testable import Flow

@Suite struct RateShareTests {
    private let key = StoreKey(.shares, route: "/", client: ClientKey("a"))

    private func request(_ share: inout RateShare, _ sequence: Int64, at seconds: Double) -> RateShare.Request? {
        share.renew(key, unused: 7, fallback: 40, sequence: sequence, at: .seconds(seconds))
    }

    private func leased(_ granted: Int64) -> RateShare {
        var share = RateShare(limit: 100, at: .seconds(0))
        share.drew(1, isShort: true)
        _ = request(&share, 1, at: 0)
        _ = share.answered(granted, isYoung: false, sequence: 1, at: .seconds(0.01))
        return share
    }

    private func applied(_ share: inout RateShare, isStoreUsed: Bool = true, at seconds: Double) -> Int64 {
        share.applied(fallback: 40, isStoreUsed: isStoreUsed, at: .seconds(seconds))
    }

    @Test func aShareIsAppliedForLessThanItsLease() {
        var share = leased(70)
        #expect(applied(&share, at: 0.02) == 70)
        #expect(applied(&share, at: 0.949) == 70)
        #expect(applied(&share, at: 0.951) == 0)
    }

    @Test func withoutTheStoreTheLastShareIsAppliedUntilItExpiresThenThePart() {
        var share = leased(70)
        #expect(applied(&share, isStoreUsed: false, at: 0.5) == 70)
        #expect(applied(&share, isStoreUsed: false, at: 0.96) == 40)
        // The store is back: the part is applied until its answer.
        #expect(applied(&share, at: 1) == 40)
        share.drew(1, isShort: true)
        let asked = request(&share, 2, at: 1)
        #expect(asked?.held == 40 && asked?.demand == 100)
        let returns = share.answered(10, isYoung: false, sequence: 2, at: .seconds(1.01))
        let after = applied(&share, at: 1.01)
        #expect(returns && after == 10)
    }

    @Test func aSmallerShareIsAppliedBeforeTheRestIsReturned() {
        var share = leased(70)
        share.drew(1, isShort: true)
        #expect(request(&share, 2, at: 0.4)?.held == 70)
        let returns = share.answered(50, isYoung: false, sequence: 2, at: .seconds(0.41))
        let after = applied(&share, at: 0.41)
        #expect(returns && after == 50)
        #expect(request(&share, 3, at: 0.42)?.held == 50)
    }

    @Test func anAnswerToAnEarlierRequestDoesNotCount() {
        var share = leased(70)
        share.drew(1, isShort: true)
        _ = request(&share, 2, at: 0.4)
        share.unanswered(sequence: 2)
        let returns = share.answered(90, isYoung: false, sequence: 2, at: .seconds(0.5))
        let after = applied(&share, at: 0.5)
        #expect(!returns && after == 70)
    }

    @Test func aYoungStoreGrantsNothingNew() {
        var share = RateShare(limit: 100, at: .seconds(0))
        share.drew(1, isShort: true)
        _ = request(&share, 1, at: 0)
        _ = share.answered(0, isYoung: true, sequence: 1, at: .seconds(0.01))
        #expect(applied(&share, at: 0.01) == 40)
        #expect(share.leased(at: .seconds(0.01)) == 0)
    }

    @Test func aShareWithoutDrawsIsReturnedAndThenRemoved() {
        var share = leased(70)
        // The first renewal still sees no draw since the last one.
        let asked = request(&share, 2, at: 0.4)
        #expect(asked == .init(key: key, limit: 100, held: 0, demand: 0, unused: 7))
        #expect(share.leased(at: .seconds(0.4)) == 0)
        #expect(!share.isReturned)
        _ = share.answered(0, isYoung: false, sequence: 2, at: .seconds(0.41))
        let again = request(&share, 3, at: 0.8)
        #expect(again == nil)
    }

    @Test func creditIsReturnedWithTheShareOnly() {
        var share = leased(70)
        share.drew(1, isShort: true)
        #expect(request(&share, 2, at: 0.4)?.unused == 0)
        // The store does not know what the part without it has brought.
        _ = share.applied(fallback: 40, isStoreUsed: false, at: .seconds(0.96))
        #expect(request(&share, 3, at: 1) == .init(key: key, limit: 100, held: 0, demand: 0))
    }

    @Test func aDemandThatGrowsAfterARequestIsKnown() {
        var share = leased(70)
        _ = request(&share, 2, at: 0.4)
        let demandedNothing = share.demandsNothing
        share.drew(0, isShort: true)
        #expect(request(&share, 3, at: 0.42)?.demand == 100)
        #expect(demandedNothing && !share.demandsNothing && share.wants(moreThan: 70))
    }

    @Test func theDemandIsTwiceWhatWasDrawn() {
        var share = leased(100)
        share.limit = 1_000_000_000
        share.drew(10, isShort: false)
        _ = request(&share, 2, at: 0.5)
        share.drew(10, isShort: false)
        #expect(request(&share, 3, at: 1)?.demand == 40_000_000)
        share.drew(1, isShort: true)
        #expect(request(&share, 4, at: 1.5)?.demand == 1_000_000_000)
    }
}
