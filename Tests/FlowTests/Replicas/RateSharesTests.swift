import TestSupport
import Testing

@testable import Flow

@Suite struct RateSharesTests {
    private let key = StoreKey(.shares, route: "/", client: ClientKey("a"))
    private let limit: Int64 = 100_000_000

    private var up: StoreHealth {
        var health = StoreHealth(at: .seconds(0))
        _ = health.isProbeDue(at: .seconds(0))
        _ = health.answered(jitter: 0, at: .seconds(0))
        _ = health.isProbeDue(at: .seconds(0))
        health.counted(replicas: 2)
        return health
    }

    private var down: StoreHealth {
        var health = up
        health.failed(jitter: 0, at: .seconds(0))
        return health
    }

    private func draw(_ shares: inout RateShares, _ health: StoreHealth? = nil, at seconds: Double) -> RecordDraw {
        var round: Int64?
        return shares.draw(key, upTo: 10, after: &round, limit: limit, health: health ?? up, at: .seconds(seconds))
    }

    private func requests(_ shares: inout RateShares, _ sequence: Int64, at seconds: Double) -> [RateShare.Request] {
        shares.takeRenewals(upTo: 64, health: up, sequence: sequence, at: .seconds(seconds))
    }

    private func answer(_ shares: inout RateShares, _ share: Int64, _ sequence: Int64, at seconds: Double) {
        shares.answered(key, share: share, isYoung: false, sequence: sequence, health: up, at: .seconds(seconds))
    }

    /// Shares of which one is leased, and drawn from.
    private func drawing(_ share: Int64 = 50_000_000) -> RateShares {
        var shares = RateShares()
        shares.opened(key, limit: limit, at: .seconds(0))
        _ = draw(&shares, at: 0)
        _ = requests(&shares, 1, at: 0)
        answer(&shares, share, 1, at: 0.002)
        return shares
    }

    @Test func theFirstDrawAsksForAShareAndIsRepeatedSoon() {
        var shares = RateShares()
        shares.opened(key, limit: limit, at: .seconds(0))
        #expect(shares.deadline == nil)
        #expect(draw(&shares, at: 0) == .later(.seconds(0.004)))
        #expect(draw(&shares, at: 0.001) == .later(.seconds(0.005)))
        #expect(shares.deadline == .distantPast)
        #expect(requests(&shares, 1, at: 0.002) == [.init(key: key, limit: limit, held: 0, demand: limit)])
        #expect(requests(&shares, 2, at: 0.003).isEmpty)
        answer(&shares, 50_000_000, 1, at: 0.004)
        #expect(draw(&shares, at: 0.004) == .lease(records: 1, notBefore: .seconds(0.024)))
    }

    @Test func aShareThatIsUsedIsRenewed() {
        var shares = drawing()
        #expect(shares.deadline == .seconds(0.4))
        _ = draw(&shares, at: 0.3)
        #expect(requests(&shares, 2, at: 0.4).map(\.held) == [50_000_000])
        #expect(shares.deadline == .seconds(0.8))
    }

    @Test func aShareMuchTooSmallIsAskedForAgainSoon() {
        var shares = drawing(10_000_000)
        #expect(shares.deadline == .seconds(0.102))
        _ = draw(&shares, at: 0.1)
        #expect(requests(&shares, 2, at: 0.102).count == 1)
        answer(&shares, 50_000_000, 2, at: 0.103)
        #expect(shares.deadline == .seconds(0.4))
    }

    @Test func theLastStreamsEndReturnsTheShare() {
        var shares = drawing()
        shares.opened(key, limit: limit, at: .seconds(0.1))
        shares.closed(key, isStoreUsed: true)
        #expect(shares.deadline == .seconds(0.4))
        shares.closed(key, isStoreUsed: true)
        #expect(requests(&shares, 2, at: 0.2) == [.init(key: key, limit: limit, held: 0, demand: 0)])
        #expect(shares.leased(key, at: .seconds(0.2)) == 0)
        answer(&shares, 0, 2, at: 0.21)
        #expect(requests(&shares, 3, at: 0.4).isEmpty && shares.knownKeys == 0)
    }

    @Test func anEndBeforeTheFirstAnswerIsReportedToo() {
        var shares = RateShares()
        shares.opened(key, limit: limit, at: .seconds(0))
        _ = draw(&shares, at: 0)
        _ = requests(&shares, 1, at: 0)
        shares.closed(key, isStoreUsed: true)
        #expect(requests(&shares, 2, at: 0.01) == [.init(key: key, limit: limit, held: 0, demand: 0)])
        answer(&shares, limit, 1, at: 0.02)
        #expect(shares.leased(key, at: .seconds(0.02)) == 0)
    }

    @Test func aStreamThatNeverDrewLeavesNothing() {
        var shares = RateShares()
        shares.opened(key, limit: limit, at: .seconds(0))
        shares.closed(key, isStoreUsed: true)
        #expect(shares.knownKeys == 0 && shares.deadline == nil)
    }

    @Test func aStreamThatBeginsAfterTheEndKeepsTheEntry() {
        var shares = drawing()
        shares.closed(key, isStoreUsed: true)
        shares.opened(key, limit: limit, at: .seconds(0.1))
        _ = requests(&shares, 2, at: 0.1)
        answer(&shares, 50_000_000, 2, at: 0.11)
        _ = draw(&shares, at: 0.2)
        // Twice the one record of 400 ms.
        #expect(requests(&shares, 3, at: 0.4).map(\.demand) == [5_000_000])
        shares.closed(key, isStoreUsed: true)
        _ = requests(&shares, 4, at: 0.5)
        #expect(shares.knownKeys == 1)
    }

    @Test func withoutTheStoreTheLastShareIsAppliedThenThePart() {
        var shares = drawing(80_000_000)
        #expect(shares.applied(key, health: down, at: .seconds(0.9)) == 80_000_000)
        #expect(shares.applied(key, health: down, at: .seconds(1)) == 50_000_000)
    }

    @Test func withoutTheStoreOnlyClientsWithStreamsAreKept() {
        var shares = RateShares()
        for number in 0..<100 {
            let key = StoreKey(.shares, route: "/", client: ClientKey("\(number)"))
            shares.opened(key, limit: limit, at: .seconds(0))
            var round: Int64?
            _ = shares.draw(key, upTo: 1, after: &round, limit: limit, health: down, at: .seconds(0))
            shares.closed(key, isStoreUsed: false)
        }
        #expect(shares.knownKeys == 0 && shares.deadline == nil)
    }
}
