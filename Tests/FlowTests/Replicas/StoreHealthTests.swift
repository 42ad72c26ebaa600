import Flow
import TestSupport
import Testing

@Suite struct StoreHealthTests {
    private func up() -> StoreHealth {
        var health = StoreHealth(at: .seconds(0))
        _ = health.isProbeDue(at: .seconds(0))
        _ = health.answered(jitter: 0.5, at: .seconds(0))
        _ = health.isProbeDue(at: .seconds(0))
        return health
    }

    @Test func beginsWithAProbeAndIsUpAfterItsAnswer() {
        var health = StoreHealth(at: .seconds(0))
        #expect(!health.isUp && health.deadline == .seconds(0))
        let isDue = health.isProbeDue(at: .seconds(0))
        let isDueAgain = health.isProbeDue(at: .seconds(0))
        #expect(isDue && !isDueAgain && health.state == .probing)
        let isBack = health.answered(jitter: 0.9, at: .seconds(0.01))
        #expect(isBack && !health.isUp)
        let isProbe = health.isProbeDue(at: .seconds(0.01))
        #expect(!isProbe && health.isUp && health.deadline == nil)
    }

    @Test func oneFailureEndsAllWaits() {
        var health = up()
        health.failed(jitter: 1, at: .seconds(1))
        #expect(!health.isUp && health.state == .down(until: .seconds(1.1)))
        health.failed(jitter: 1, at: .seconds(1.05))
        #expect(health.state == .down(until: .seconds(1.1)))
    }

    @Test func thePausesOfProbesDoubleUpToFiveSecondsAndDiffer() {
        var health = up(), pauses: [Duration] = []
        var now = Instant.seconds(10)
        for _ in 0..<9 {
            health.failed(jitter: 1, at: now)
            let until = health.deadline ?? .distantPast
            pauses.append(until - now)
            now = until
            _ = health.isProbeDue(at: now)
        }
        #expect(pauses.map { Int($0.inSeconds * 1000) } == [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
        var other = up()
        other.failed(jitter: 0, at: .seconds(1))
        #expect(other.deadline == .seconds(1.05))
    }

    @Test func theReturnAfterAFailureIsSpread() {
        for (jitter, delay) in [(0.0, 0.0), (0.25, 0.25), (0.75, 0.75)] {
            var health = up()
            health.failed(jitter: 1, at: .seconds(1))
            let isDue = health.isProbeDue(at: .seconds(2))
            #expect(isDue)
            _ = health.answered(jitter: jitter, at: .seconds(2))
            #expect(!health.isUp && health.deadline == .seconds(2 + delay))
            _ = health.isProbeDue(at: .seconds(2 + delay))
            #expect(health.isUp)
        }
    }

    @Test func aFailureWhileRejoiningIsAFailure() {
        var health = up()
        health.failed(jitter: 1, at: .seconds(1))
        _ = health.isProbeDue(at: .seconds(2))
        _ = health.answered(jitter: 1, at: .seconds(2))
        health.failed(jitter: 1, at: .seconds(2.5))
        #expect(health.state == .down(until: .seconds(2.6)))
    }

    @Test func thePartOfALimitIsNeverZeroAndNeverMoreThanTheLimit() {
        var health = up()
        #expect(health.fallback(of: 10) == 10)
        health.counted(replicas: 3, at: .seconds(0))
        #expect(health.fallback(of: 10) == 3 && health.fallback(of: 2) == 1)
        health.counted(replicas: 0, at: .seconds(0))
        #expect(health.replicas == 1)
    }

    @Test func theCountOnlyRisesWhileTheOthersRegisterAgain() {
        var health = up()
        health.counted(replicas: 3, at: .seconds(1))
        health.registrationsLost(at: .seconds(2))
        var counts: [Int] = []
        for (count, time) in [(1, 2.0), (2, 7), (4, 12), (3, 16.9), (3, 17)] {
            health.counted(replicas: count, at: .seconds(time))
            counts.append(health.replicas)
        }
        #expect(counts == [3, 3, 4, 4, 3])
    }

    @Test func aPartIsOfAllThatRegisterAgainAndAnEqualPartOfThoseThatHave() {
        var health = up()
        health.counted(replicas: 3, at: .seconds(1))
        health.registrationsLost(at: .seconds(2))
        health.counted(replicas: 1, at: .seconds(2))
        #expect(health.fallback(of: 9) == 3 && health.equalPart(of: 9) == 9)
    }

    @Test(arguments: [(10.0, 1), (10.1, 3)]) func registrationsExpireWhileTheStoreIsNotUsed(gap: Double, replicas: Int)
    {
        var health = up()
        _ = health.answered(jitter: 0, at: .seconds(1))
        health.counted(replicas: 3, at: .seconds(1))
        _ = health.answered(jitter: 0, at: .seconds(1 + gap))
        health.counted(replicas: 1, at: .seconds(1 + gap))
        #expect(health.replicas == replicas)
    }
}
