import Flow
import TestSupport
import Testing

@Suite struct CircuitBreakerTests {
    private let policy = CircuitBreaker.Policy(
        trips: 3, window: .seconds(60), cooldown: .seconds(30), probes: 2, probeRecords: 10)

    /// A breaker that three failures have opened at second 0, until second 30.
    private func opened() throws -> CircuitBreaker {
        var breaker = CircuitBreaker(policy: policy)
        for _ in 0..<3 {
            let ticket = try breaker.admit(at: .seconds(0))
            _ = breaker.failed(ticket, at: .seconds(0), jitter: 0)
        }
        #expect(breaker.state(at: .seconds(0)) == .open)
        return breaker
    }

    @Test func itOpensAtTheLastOfItsTrips() throws {
        var breaker = CircuitBreaker(policy: policy)
        let ticket = try breaker.admit(at: .seconds(0))
        #expect(!ticket.isProbe)
        #expect(breaker.failed(ticket, at: .seconds(0), jitter: 0) == false)
        #expect(breaker.failed(ticket, at: .seconds(1), jitter: 0) == false)
        #expect(breaker.state(at: .seconds(1)) == .closed)
        #expect(breaker.trips == 0)
        #expect(breaker.failed(ticket, at: .seconds(2), jitter: 0) == true)
        #expect(breaker.state(at: .seconds(2)) == .open)
        #expect(breaker.trips == 1)
    }

    @Test func aFailureCountsUntilItIsAWindowOld() throws {
        var breaker = CircuitBreaker(policy: policy)
        let ticket = try breaker.admit(at: .seconds(0))
        for second in [0.0, 30] { #expect(breaker.failed(ticket, at: .seconds(second), jitter: 0) == false) }
        var exact = breaker
        #expect(breaker.failed(ticket, at: .seconds(60).advanced(byNanoseconds: -1), jitter: 0) == true)
        #expect(exact.failed(ticket, at: .seconds(60), jitter: 0) == false)
        #expect(exact.failed(ticket, at: .seconds(61), jitter: 0) == true)
    }

    @Test func successesClearNoFailure() throws {
        var breaker = CircuitBreaker(policy: policy)
        var good = try breaker.admit(at: .seconds(0))
        let bad = try breaker.admit(at: .seconds(0))
        for second in [0.0, 1] { _ = breaker.failed(bad, at: .seconds(second), jitter: 0) }
        for _ in 0..<10 { breaker.succeeded(&good, at: .seconds(2)) }
        #expect(breaker.failed(bad, at: .seconds(3), jitter: 0) == true)
    }

    @Test func aRefusalHasTheExactRestOfTheCooldown() throws {
        var breaker = try opened()
        #expect(throws: CircuitBreaker.Refusal(state: .open, retryAfter: .seconds(20))) {
            _ = try breaker.admit(at: .seconds(10))
        }
        #expect(breaker.timeUntilHalfOpen(at: .seconds(10)) == .seconds(20))
        #expect(throws: CircuitBreaker.Refusal(state: .open, retryAfter: .nanoseconds(1))) {
            _ = try breaker.admit(at: .seconds(30).advanced(byNanoseconds: -1))
        }
        #expect(try breaker.admit(at: .seconds(30)).isProbe)
    }

    @Test(arguments: [(0.0, 30.0), (0.5, 33), (1, 36), (7, 36), (-1, 30)])
    func theCooldownIsUpToAFifthLonger(jitter: Double, seconds: Double) throws {
        var breaker = CircuitBreaker(policy: .init(trips: 1, window: .seconds(60), cooldown: .seconds(30)))
        #expect(breaker.failed(try breaker.admit(at: .seconds(0)), at: .seconds(0), jitter: jitter) == true)
        #expect(breaker.timeUntilHalfOpen(at: .seconds(0)) == .seconds(seconds))
    }

    @Test func afterTheCooldownItIsHalfOpenWithoutARequest() throws {
        let breaker = try opened()
        #expect(breaker.state(at: .seconds(29.9)) == .open)
        #expect(breaker.state(at: .seconds(30)) == .halfOpen)
        #expect(breaker.timeUntilHalfOpen(at: .seconds(31)) == .zero)
    }

    @Test func halfOpenItAdmitsItsProbesOnly() throws {
        var breaker = try opened()
        let first = try breaker.admit(at: .seconds(30))
        _ = try breaker.admit(at: .seconds(30))
        #expect(throws: CircuitBreaker.Refusal(state: .halfOpen, retryAfter: .seconds(1))) {
            _ = try breaker.admit(at: .seconds(31))
        }
        breaker.released(first, at: .seconds(32))
        #expect(try breaker.admit(at: .seconds(32)).isProbe)
        #expect(throws: CircuitBreaker.Refusal.self) { _ = try breaker.admit(at: .seconds(32)) }
    }

    @Test func itClosesWhenItsProbesHaveSucceeded() throws {
        var breaker = try opened()
        var first = try breaker.admit(at: .seconds(30)), second = try breaker.admit(at: .seconds(30))
        breaker.succeeded(&first, at: .seconds(31))
        #expect(!first.isProbe)
        breaker.succeeded(&first, at: .seconds(31))
        #expect(breaker.state(at: .seconds(31)) == .halfOpen)
        breaker.succeeded(&second, at: .seconds(32))
        #expect(breaker.state(at: .seconds(32)) == .closed)
        #expect(try !breaker.admit(at: .seconds(32)).isProbe)
    }

    @Test func oneFailureHalfOpenOpensItAgainForAWholeCooldown() throws {
        var breaker = try opened()
        var first = try breaker.admit(at: .seconds(30))
        let second = try breaker.admit(at: .seconds(30))
        breaker.succeeded(&first, at: .seconds(31))
        #expect(breaker.failed(second, at: .seconds(32), jitter: 0) == true)
        #expect(breaker.trips == 2)
        #expect(breaker.timeUntilHalfOpen(at: .seconds(32)) == .seconds(30))
    }

    @Test func aProbeThatSucceededAndThenStallsOpensItAsWell() throws {
        var breaker = try opened()
        var probe = try breaker.admit(at: .seconds(30))
        breaker.succeeded(&probe, at: .seconds(31))
        #expect(breaker.failed(probe, at: .seconds(32), jitter: 0) == true)
    }

    @Test func aStreamFromBeforeTheTripNeitherClosesNorTripsNorCounts() throws {
        var breaker = CircuitBreaker(policy: policy)
        var old = try breaker.admit(at: .seconds(0))
        for _ in 0..<3 { _ = breaker.failed(old, at: .seconds(0), jitter: 0) }
        #expect(breaker.failed(old, at: .seconds(1), jitter: 0) == false)
        #expect(breaker.timeUntilHalfOpen(at: .seconds(1)) == .seconds(29))
        var probes = [try breaker.admit(at: .seconds(30)), try breaker.admit(at: .seconds(30))]
        for _ in 0..<5 { breaker.succeeded(&old, at: .seconds(31)) }
        breaker.released(old, at: .seconds(31))
        #expect(breaker.failed(old, at: .seconds(31), jitter: 0) == false)
        #expect(breaker.state(at: .seconds(31)) == .halfOpen)
        #expect(throws: CircuitBreaker.Refusal.self) { _ = try breaker.admit(at: .seconds(31)) }
        for place in probes.indices { breaker.succeeded(&probes[place], at: .seconds(32)) }
        for _ in 0..<5 { #expect(breaker.failed(old, at: .seconds(33), jitter: 0) == false) }
        #expect(breaker.state(at: .seconds(33)) == .closed)
    }

    @Test func aProbeThatClosedItStillCountsWhenItStalls() throws {
        var breaker = CircuitBreaker(policy: .init(trips: 2, window: .seconds(60), cooldown: .seconds(30)))
        let old = try breaker.admit(at: .seconds(0))
        for _ in 0..<2 { _ = breaker.failed(old, at: .seconds(0), jitter: 0) }
        var probe = try breaker.admit(at: .seconds(30))
        breaker.succeeded(&probe, at: .seconds(31))
        #expect(breaker.failed(probe, at: .seconds(40), jitter: 0) == false)
        #expect(breaker.failed(try breaker.admit(at: .seconds(50)), at: .seconds(50), jitter: 0) == true)
    }

    @Test func waitingLastsForTheCooldownAndAWholeWindow() throws {
        let breaker = try opened()
        #expect(!breaker.isIdle(at: .seconds(90).advanced(byNanoseconds: -1)))
        #expect(breaker.isIdle(at: .seconds(90)))
        #expect(breaker.state(at: .seconds(90)) == .closed)
        var early = breaker, late = breaker
        #expect(try early.admit(at: .seconds(89)).isProbe)
        #expect(try !late.admit(at: .seconds(90)).isProbe)
    }

    @Test func aProbeThatIsOutKeepsItHalfOpen() throws {
        var breaker = try opened()
        let probe = try breaker.admit(at: .seconds(30))
        #expect(!breaker.isIdle(at: .seconds(10_000)))
        #expect(breaker.state(at: .seconds(10_000)) == .halfOpen)
        breaker.released(probe, at: .seconds(10_000))
        #expect(!breaker.isIdle(at: .seconds(10_059)))
        #expect(breaker.isIdle(at: .seconds(10_060)))
    }

    @Test func aResetClosesItAndWhatIsOpenCountsForNothing() throws {
        var breaker = try opened()
        let probe = try breaker.admit(at: .seconds(30))
        breaker.reset(at: .seconds(31))
        #expect(breaker.state(at: .seconds(31)) == .closed)
        for _ in 0..<5 { #expect(breaker.failed(probe, at: .seconds(32), jitter: 0) == false) }
        let new = try breaker.admit(at: .seconds(32))
        #expect(!new.isProbe)
        for _ in 0..<2 { #expect(breaker.failed(new, at: .seconds(33), jitter: 0) == false) }
        #expect(breaker.failed(new, at: .seconds(33), jitter: 0) == true)
    }

    @Test func aNewPolicyBindsFromTheNextFailureOn() throws {
        var breaker = CircuitBreaker(policy: policy)
        let ticket = try breaker.admit(at: .seconds(0))
        _ = breaker.failed(ticket, at: .seconds(0), jitter: 0)
        breaker.policy = .init(trips: 1, window: .seconds(60), cooldown: .seconds(5))
        #expect(breaker.failed(ticket, at: .seconds(1), jitter: 0) == true)
        #expect(breaker.timeUntilHalfOpen(at: .seconds(1)) == .seconds(5))
    }

    @Test func theLongestTimesDoNotOverflow() throws {
        let forever = Duration.nanoseconds(Int64.max)
        var breaker = CircuitBreaker(policy: .init(trips: 1, window: forever, cooldown: forever))
        #expect(breaker.failed(try breaker.admit(at: .seconds(0)), at: .seconds(0), jitter: 1) == true)
        #expect(breaker.state(at: .seconds(1_000_000)) == .open)
    }
}
