import TestSupport
import Testing

@testable import Flow

@Suite struct SharedBreakersTests {
    private let key = BreakerKey(route: "/", client: ClientKey("a"))

    private func notice(_ end: Int64 = 1000, _ remaining: Duration = .seconds(10)) -> BreakerNotice {
        BreakerNotice(end: end, remaining: remaining, key: key)
    }

    @Test func anOpeningIsSentOnceWithTheRemainingTime() {
        var breakers = SharedBreakers()
        breakers.opened(key, for: .seconds(10), at: .seconds(0))
        #expect(breakers.isDue)
        #expect(breakers.takeOpenings(upTo: 64, at: .seconds(1)) == [.init(key: key, remaining: .seconds(9))])
        #expect(breakers.takeOpenings(upTo: 64, at: .seconds(1)).isEmpty && !breakers.isDue)
    }

    @Test func anOpeningThatTheStoreMayNotHaveIsSentAgainUntilItsEnd() {
        var breakers = SharedBreakers()
        breakers.opened(key, for: .seconds(10), at: .seconds(0))
        let sent = breakers.takeOpenings(upTo: 64, at: .seconds(0))
        breakers.areUnknown(sent)
        breakers.areUnknown(sent)
        #expect(breakers.takeOpenings(upTo: 64, at: .seconds(4)).map(\.remaining) == [.seconds(6)])
        breakers.allUnknown()
        #expect(breakers.takeOpenings(upTo: 64, at: .seconds(10)).isEmpty && !breakers.isDue)
    }

    @Test func anAnnouncementIsAppliedOnce() {
        var breakers = SharedBreakers()
        #expect(breakers.isEmpty && breakers.take(key, at: .seconds(0)) == nil)
        breakers.received(notice(), at: .seconds(0))
        #expect(breakers.end(key, at: .seconds(9)) == .seconds(10))
        #expect(breakers.end(key, at: .seconds(10)) == nil)
        #expect(breakers.take(key, at: .seconds(1)) == .seconds(10))
        breakers.received(notice(1000, .seconds(9)), at: .seconds(1.1))
        #expect(breakers.take(key, at: .seconds(2)) == nil)
        breakers.received(notice(2000), at: .seconds(20))
        #expect(breakers.take(key, at: .seconds(20)) == .seconds(30))
    }

    @Test func aClientThatComesAfterTheCooldownIsAProbeForSomeTime() {
        var breakers = SharedBreakers()
        breakers.received(notice(), at: .seconds(0))
        #expect(breakers.take(key, at: .seconds(609)) == .seconds(10))
        breakers.received(notice(2000), at: .seconds(1000))
        #expect(breakers.take(key, at: .seconds(1610)) == nil)
    }

    /// After an operator's reset a breaker may open again before the first cooldown has ended, which the store keeps.
    @Test func aShorterOpeningDoesNotEndALongerOne() {
        var breakers = SharedBreakers()
        breakers.opened(key, for: .seconds(20), at: .seconds(0))
        breakers.opened(key, for: .seconds(2), at: .seconds(1))
        #expect(breakers.end(key, at: .seconds(5)) == .seconds(20))
        #expect(breakers.takeOpenings(upTo: 64, at: .seconds(5)).map(\.remaining) == [.seconds(15)])
        breakers.opened(key, for: .seconds(20), at: .seconds(6))
        #expect(breakers.end(key, at: .seconds(6)) == .seconds(26))
    }

    @Test func itsOwnAnnouncementIsIgnoredAndALaterOneOfAnotherIsNot() {
        var breakers = SharedBreakers()
        breakers.opened(key, for: .seconds(10), at: .seconds(0))
        breakers.received(notice(1000, .seconds(9.9)), at: .seconds(0.2))
        #expect(breakers.take(key, at: .seconds(1)) == nil)
        breakers.received(notice(5000, .seconds(10)), at: .seconds(3))
        #expect(breakers.take(key, at: .seconds(3)) == .seconds(13))
    }

    @Test func aRepetitionIsAskedForOnce() {
        var breakers = SharedBreakers()
        breakers.hasSubscribed()
        breakers.hasSubscribed()
        let takes = [breakers.takeRepetition(), breakers.takeRepetition()]
        #expect(takes == [true, false] && !breakers.isDue)
    }

    @Test func whatIsKeptIsBoundedAndEnds() {
        var breakers = SharedBreakers()
        for number in 0..<(SharedBreakers.capacity + 500) {
            let key = BreakerKey(route: "/", client: ClientKey("\(number)"))
            breakers.opened(key, for: .seconds(10), at: .seconds(0))
            breakers.received(
                BreakerNotice(
                    end: 1, remaining: .seconds(10), key: BreakerKey(route: "o", client: ClientKey("\(number)"))),
                at: .seconds(0))
        }
        #expect(breakers.knownKeys == 2 * SharedBreakers.capacity)
        for _ in 0..<4000 {
            breakers.opened(key, for: .seconds(1), at: .seconds(1000))
            breakers.received(notice(2, .seconds(3)), at: .seconds(1000))
        }
        #expect(breakers.knownKeys <= 3)
    }

    @Test func withoutTheStoreFewKeysWaitForIt() {
        var breakers = SharedBreakers(), most = 0
        for second in 0..<10_000 {
            breakers.opened(key, for: .seconds(10), at: .seconds(Double(second)))
            most = max(most, breakers.waitingKeys)
        }
        #expect(most == 2 * SharedBreakers.capacity)
        #expect(breakers.takeOpenings(upTo: 64, at: .seconds(9999)) == [.init(key: key, remaining: .seconds(10))])
        #expect(!breakers.isDue)
    }
}

@Suite struct BreakerNoticeTests {
    private let key = BreakerKey(route: "/", client: ClientKey("a"))

    @Test func readsWhatTheScriptPublishes() {
        let notice = BreakerNotice(Array("1700000000000000 2500000 \(key.text)".utf8))
        #expect(notice == BreakerNotice(end: 1_700_000_000_000_000, remaining: .seconds(2.5), key: key))
    }

    @Test(arguments: [
        "", " ", "1 1", "1 1 ", "1 1 k", "1  1 00000000000000000000000000000000",
        "-1 1 00000000000000000000000000000000",
        "1 0 00000000000000000000000000000000", "1 +1 00000000000000000000000000000000",
        "1 1 00000000000000000000000000000000 ", "1 1 0000000000000000000000000000000G",
        "1 999999999999 00000000000000000000000000000000", "12345678901234567 1 00000000000000000000000000000000",
    ]) func ignoresEverythingElse(text: String) {
        #expect(BreakerNotice(Array(text.utf8)) == nil)
    }

    @Test func ignoresBytesThatAreNotUTF8() {
        #expect(BreakerNotice([0xff, 0x20, 0x31]) == nil)
    }
}
