import TestSupport
import Testing

@testable import Flow

@Suite struct ShareBudgetTests {
    /// A budget with a share of 100 records a second, which ends after a minute.
    private func budget(_ perSecond: Int64 = 100) -> ShareBudget {
        var budget = ShareBudget(at: .seconds(0))
        budget.follow(perSecond * 1_000_000, until: .seconds(60), at: .seconds(0))
        return budget
    }

    private func draw(_ budget: inout ShareBudget, _ wanted: Int = 1000, at seconds: Double) -> RecordDraw {
        var round: Int64?
        budget.follow(budget.share, until: .seconds(60), at: .seconds(seconds))
        return budget.draw(upTo: wanted, after: &round, pauseWithoutShare: .milliseconds(25), at: .seconds(seconds))
    }

    @Test func withoutAShareNothingIsLeased() {
        var budget = ShareBudget(at: .seconds(0))
        #expect(draw(&budget, at: 0) == .later(.seconds(0.025)))
        budget.follow(0, until: .distantPast, at: .seconds(100))
        #expect(draw(&budget, at: 100) == .later(.seconds(100.025)))
    }

    @Test func aNewShareBringsNoBurst() {
        var budget = budget()
        #expect(draw(&budget, at: 0) == .lease(records: 1, notBefore: .seconds(0.01)))
        #expect(draw(&budget, at: 0) == .lease(records: 1, notBefore: .seconds(0.02)))
    }

    @Test func leasesBeginSoonOrAreDrawnLater() {
        var budget = budget()
        var leases = 0
        while case .lease(_, let begins) = draw(&budget, at: 0) {
            leases += 1
            #expect(begins <= .seconds(0.04))
        }
        #expect(leases == 4)
        #expect(draw(&budget, at: 0) == .later(.seconds(0.05)))
        #expect(draw(&budget, at: 0.05) == .lease(records: 1, notBefore: .seconds(0.05)))
    }

    @Test func aSlowRateIsAskedAgainOften() {
        var budget = ShareBudget(at: .seconds(0))
        budget.follow(100_000, until: .seconds(60), at: .seconds(0))
        #expect(draw(&budget, at: 0) == .later(.seconds(0.1)))
        #expect(draw(&budget, at: 9.9) == .later(.seconds(10)))
        #expect(draw(&budget, at: 10) == .lease(records: 1, notBefore: .seconds(10)))
    }

    @Test func anIdleClientKeepsOneSecond() {
        var budget = budget()
        #expect(budget.remaining == 0)
        budget.follow(100_000_000, until: .seconds(60), at: .seconds(30))
        #expect(budget.remaining == 100)
    }

    @Test func whatAShareHasBroughtEndsWithIt() {
        var budget = budget()
        budget.follow(0, until: .distantPast, at: .seconds(1))
        budget.follow(100_000_000, until: .seconds(60), at: .seconds(1))
        #expect(budget.remaining == 0)
    }

    @Test func aShareBringsNothingAfterItsEnd() {
        var budget = ShareBudget(at: .seconds(0))
        budget.follow(100_000_000, until: .seconds(0.5), at: .seconds(0))
        budget.follow(100_000_000, until: .seconds(9), at: .seconds(1))
        #expect(budget.remaining == 50)
    }

    @Test func aDebtRemainsWhenTheShareShrinks() {
        var budget = budget()
        for _ in 0..<4 { _ = draw(&budget, at: 0) }
        budget.follow(10_000_000, until: .seconds(60), at: .seconds(0))
        // Four records are owed, and the next one, at ten a second.
        #expect(draw(&budget, at: 0.3) == .later(.seconds(0.4)))
        #expect(draw(&budget, at: 0.5) == .lease(records: 1, notBefore: .seconds(0.5)))
    }

    @Test func streamsGetEqualPartsOfARound() {
        var budget = budget(1000)
        budget.follow(1_000_000_000, until: .seconds(60), at: .seconds(1))
        var rounds: [Int64?] = [nil, nil, nil, nil]
        var sizes: [RecordDraw] = []
        for index in rounds.indices {
            sizes.append(
                budget.draw(upTo: 1000, after: &rounds[index], pauseWithoutShare: .zero, at: .seconds(1)))
        }
        #expect(sizes == [16, 8, 5, 4].map { .lease(records: $0, notBefore: .seconds(1)) })
    }

    @Test func whatIsGivenBackCanBeDrawnAgain() {
        var budget = budget()
        for _ in 0..<4 { _ = draw(&budget, at: 0) }
        budget.giveBack(3)
        #expect(draw(&budget, at: 0) == .lease(records: 1, notBefore: .seconds(0.02)))
        budget.giveBack(.max)
        #expect(budget.remaining == 100)
    }

    @Test func creditIsAddedUpToASecondOfTheShare() {
        var budget = budget()
        for _ in 0..<4 { _ = draw(&budget, at: 0) }
        // Four records are owed.
        budget.grant(5_500_000)
        #expect(budget.remaining == 1 && budget.unused == 1_500_000)
        budget.grant(.max)
        #expect(budget.unused == 100_000_000)
        budget.follow(0, until: .distantPast, at: .seconds(0))
        #expect(budget.unused == 0)
    }

    /// Shares that change while several streams draw as much as they can: all that they have brought is used, and no more.
    @Test(arguments: 0..<20) func theRecordsAreTheIntegralOfTheShare(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var budget = ShareBudget(at: .seconds(0)), now = Instant.seconds(0)
        var brought = 0.0, drawn = 0.0, share: Int64 = 0
        for _ in 0..<2000 {
            let pause = Duration.milliseconds(Int.random(in: 0...120, using: &random))
            now = now + pause
            brought += Double(share) / 1e6 * pause.inSeconds
            if Int.random(in: 0..<20, using: &random) == 0 {
                share = Int64.random(in: 1...2000, using: &random) * 1_000_000
            }
            budget.follow(share, until: .distantFuture, at: now)
            var round: Int64?
            while case .lease(let records, let begins) = budget.draw(
                upTo: 1000, after: &round, pauseWithoutShare: .zero, at: now)
            {
                drawn += Double(records)
                if begins > now { break }
            }
            // At most what 40 ms of the largest share bring is leased ahead.
            #expect(drawn <= brought + 81)
        }
        #expect(drawn > brought * 0.99 - 100)
    }
}
