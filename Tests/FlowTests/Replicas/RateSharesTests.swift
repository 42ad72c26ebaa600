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
        health.counted(replicas: 2, at: .seconds(0))
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

    private func answer(
        _ shares: inout RateShares, _ share: Int64, credit: Int64 = 0, _ sequence: Int64, at seconds: Double
    ) {
        shares.answered(
            key, .init(share: share, credit: credit), isYoung: false, sequence: sequence, health: up,
            at: .seconds(seconds))
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
        // What 200 ms have brought.
        #expect(
            requests(&shares, 2, at: 0.202) == [
                .init(key: key, limit: limit, held: 0, demand: 0, unused: 10_000_000)
            ])
        #expect(shares.leased(key, at: .seconds(0.202)) == 0 && shares.remaining(key) == 0)
        answer(&shares, 0, 2, at: 0.21)
        #expect(requests(&shares, 3, at: 0.4).isEmpty && shares.knownKeys == 0)
    }

    @Test func creditCanBeDrawnAtOnce() {
        var shares = RateShares()
        shares.opened(key, limit: limit, at: .seconds(0))
        _ = draw(&shares, at: 0)
        _ = requests(&shares, 1, at: 0)
        answer(&shares, 50_000_000, credit: 30_000_000, 1, at: 0.002)
        #expect(draw(&shares, at: 0.002) == .lease(records: 1, notBefore: .seconds(0.002)))
        #expect(shares.remaining(key) == 29 && shares.credited == 30)
        // An answer counts once.
        answer(&shares, 50_000_000, credit: 30_000_000, 1, at: 0.002)
        #expect(shares.remaining(key) == 29 && shares.credited == 30)
    }

    @Test func aShareThatWasReturnedIsAskedForAtOnce() {
        var shares = drawing()
        shares.closed(key, isStoreUsed: true)
        #expect(requests(&shares, 2, at: 0.1).map(\.demand) == [0])
        // Before the answer.
        shares.opened(key, limit: limit, at: .seconds(0.1))
        #expect(draw(&shares, at: 0.1) == .later(.seconds(0.104)))
        #expect(requests(&shares, 3, at: 0.101).map(\.demand) == [limit])
        answer(&shares, 0, 2, at: 0.102)
        answer(&shares, 50_000_000, 3, at: 0.103)
        #expect(shares.leased(key, at: .seconds(0.103)) == 50_000_000)
        // And after a time without a draw.
        #expect(requests(&shares, 4, at: 0.4).map(\.demand) == [0])
        answer(&shares, 0, 4, at: 0.401)
        #expect(draw(&shares, at: 0.45) == .later(.seconds(0.454)))
        #expect(requests(&shares, 5, at: 0.451).map(\.demand) == [limit])
        answer(&shares, 0, 5, at: 0.452)
        #expect(draw(&shares, at: 0.454) == .later(.seconds(0.479)))
        #expect(requests(&shares, 6, at: 0.455).isEmpty)
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

    @Test func aPartOfTheTimeWithoutTheStoreIsRemovedAfterTheEnd() {
        var shares = RateShares()
        shares.opened(key, limit: limit, at: .seconds(0))
        _ = draw(&shares, down, at: 0)
        shares.closed(key, isStoreUsed: true)
        #expect(requests(&shares, 1, at: 1).map(\.demand) == [0])
        var answered = shares, unanswered = shares
        answer(&answered, 0, 1, at: 1.001)
        unanswered.unanswered(key, sequence: 1)
        #expect(answered.knownKeys == 0 && unanswered.knownKeys == 0)
    }

    /// Streams begin, draw and end in any order while the store comes and goes: nothing remains after all have ended.
    @Test(arguments: 0..<100) func nothingRemainsWithoutStreams(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var shares = RateShares(), health = up, streams = 0, now = 0.0, sequence: Int64 = 0
        var awaited: [(sequence: Int64, keys: [StoreKey])] = []
        for step in 0..<300 {
            let isEnding = step >= 200
            now += isEnding ? 0.1 : Double.random(in: 0...0.2, using: &random)
            if isEnding { health = up }
            switch isEnding ? 1 : Int.random(in: 0..<7, using: &random) {
            case 0:
                shares.opened(key, limit: limit, at: .seconds(now))
                streams += 1
            case 1 where streams > 0:
                shares.closed(key, isStoreUsed: health.isUp)
                streams -= 1
            case 2, 3: if streams > 0 { _ = draw(&shares, health, at: now) }
            case 4: health = Bool.random(using: &random) ? up : down
            default: break
            }
            if health.isUp, isEnding || Bool.random(using: &random) {
                sequence += 1
                let requests = shares.takeRenewals(upTo: 64, health: health, sequence: sequence, at: .seconds(now))
                if !requests.isEmpty { awaited.append((sequence, requests.map(\.key))) }
            }
            guard isEnding || Bool.random(using: &random), !awaited.isEmpty else { continue }
            let (number, keys) = awaited.removeFirst()
            for key in keys {
                if Int.random(in: 0..<3, using: &random) == 0 {
                    shares.unanswered(key, sequence: number)
                } else {
                    shares.answered(
                        key, .init(share: Int64.random(in: 0...limit, using: &random), credit: 0),
                        isYoung: Bool.random(using: &random), sequence: number, health: health, at: .seconds(now))
                }
            }
        }
        #expect(streams == 0 && awaited.isEmpty && shares.knownKeys == 0)
    }
}
