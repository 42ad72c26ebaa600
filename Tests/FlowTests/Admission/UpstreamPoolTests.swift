import Flow
import TestSupport
import Testing

@Suite struct UpstreamPoolTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)
    private static let breaker = CircuitBreaker.Policy(
        trips: 1, window: .seconds(60), cooldown: .seconds(30), probes: 1, probeRecords: 1)

    private func pool(_ names: [String], _ rules: UpstreamRules = UpstreamRules()) -> UpstreamPool {
        UpstreamPool(names, rules: rules)
    }

    private func open(_ pool: inout UpstreamPool, _ count: Int) throws -> [UpstreamPool.Slot] {
        try (0..<count).map { _ in try pool.admit(at: start) }
    }

    // MARK: Balance

    @Test func theOneWithTheFewestRequestsIsNext() throws {
        var pool = pool(["a", "b", "c"])
        let places = try open(&pool, 5)
        #expect(places.map(\.name) == ["a", "b", "c", "a", "b"])
        pool.released(places[1], at: start)
        pool.released(places[4], at: start)
        #expect(try open(&pool, 3).map(\.name) == ["b", "c", "b"])
    }

    @Test func inTurnMeansWhateverIsOpen() throws {
        var pool = pool(["a", "b"], UpstreamRules(balance: .roundRobin))
        let first = try pool.admit(at: start)
        pool.released(first, at: start)
        #expect(try open(&pool, 3).map(\.name) == ["b", "a", "b"])
    }

    @Test func equallyLoadedOnesTakeTurns() throws {
        var pool = pool(["a", "b", "c"])
        for name in ["a", "b", "c", "a"] {
            let place = try pool.admit(at: start)
            #expect(place.name == name)
            pool.released(place, at: start)
        }
    }

    // MARK: Limits

    @Test func aFullUpstreamIsPassedOver() throws {
        var pool = pool(["a", "b"], UpstreamRules(balance: .roundRobin, limit: 1))
        let places = try open(&pool, 2)
        #expect(throws: AdmissionError.upstreamBusy(limit: 1)) { try pool.admit(at: start) }
        pool.released(places[0], at: start)
        let next = try pool.admit(at: start).name
        #expect(next == "a")
    }

    // MARK: Health checks

    private static let checked = UpstreamRules(
        balance: .roundRobin, check: .init(rise: 1, fall: 2, interval: .seconds(5)))

    @Test func whatIsDownGetsNothingUntilItIsBack() throws {
        var pool = pool(["a", "b"], Self.checked)
        let changes = (0..<3).map { _ in pool.checked("a", isGood: false) }
        #expect(changes == [false, true, false])
        #expect(try open(&pool, 3).map(\.name) == ["b", "b", "b"])
        #expect(pool.statuses(at: start).map(\.isDown) == [true, false])
        let isBack = pool.checked("a", isGood: true)
        #expect(isBack)
        #expect(try open(&pool, 2).map(\.name).contains("a"))
    }

    @Test func whereAllAreDownRequestsAreRefused() throws {
        var pool = pool(["a", "b"], Self.checked)
        for name in ["a", "b", "a", "b"] { _ = pool.checked(name, isGood: false) }
        #expect(throws: AdmissionError.upstreamDown(retryAfter: .seconds(5))) { try pool.admit(at: start) }
    }

    @Test func withoutACheckNoUpstreamIsDown() throws {
        var pool = pool(["a"], Self.checked)
        for _ in 0..<2 { _ = pool.checked("a", isGood: false) }
        pool.apply(["a"], rules: UpstreamRules(), at: start)
        #expect(try open(&pool, 1).map(\.name) == ["a"])
        let changes = (0..<9).map { _ in pool.checked("a", isGood: false) }
        #expect(!changes.contains(true) && pool.statuses(at: start)[0].isDown == nil)
        // An answer for one that a reload took away is late.
        let isKnown = pool.checked("b", isGood: false)
        #expect(!isKnown)
    }

    // MARK: Breakers

    @Test func anUpstreamThatFailsIsSparedAndTriedAgain() throws {
        var pool = pool(["a", "b"], UpstreamRules(balance: .roundRobin, breaker: Self.breaker))
        var place = try pool.admit(at: start)
        let hasOpened = pool.failed(&place, at: start, jitter: 0)
        #expect(hasOpened)
        let opensAgain = pool.failed(&place, at: start, jitter: 0)
        #expect(!opensAgain)
        pool.released(place, at: start)
        #expect(try open(&pool, 2).map(\.name) == ["b", "b"])
        #expect(pool.statuses(at: start).map(\.state) == [.open, .closed])
        #expect(pool.trips == 1)
        let later = start + .seconds(40)
        var probe = try pool.admit(at: later)
        #expect(probe.name == "a")
        let hasClosed = pool.succeeded(&probe, at: later)
        #expect(hasClosed)
        #expect(pool.statuses(at: later).map(\.state) == [.closed, .closed])
    }

    @Test func ifAllBreakersAreOpenTheShortestWaitIsReported() throws {
        var pool = pool(["a", "b"], UpstreamRules(breaker: Self.breaker))
        for seconds in [0.0, 10.0] {
            let now = start + .seconds(seconds)
            var place = try pool.admit(at: now)
            let hasOpened = pool.failed(&place, at: now, jitter: 0)
            #expect(hasOpened)
            pool.released(place, at: now)
        }
        do throws(AdmissionError) {
            _ = try pool.admit(at: start + .seconds(10))
            Issue.record("no upstream should be admitted")
        } catch {
            if case .upstreamBreakerOpen = error {} else { Issue.record("\(error)") }
            #expect(error.retryAfter == pool.statuses(at: start + .seconds(10)).map(\.openFor).min())
        }
    }

    @Test func aBreakerInADryRunReportsAndAdmits() throws {
        var pool = pool(["a"], UpstreamRules(breaker: Self.breaker, isBreakerDryRun: true))
        var place = try pool.admit(at: start)
        #expect(place.wouldRefuse == nil)
        _ = pool.failed(&place, at: start, jitter: 0)
        let next = try pool.admit(at: start)
        #expect(next.wouldRefuse != nil && next.ticket == nil)
    }

    @Test func aBreakerIsResetByItsName() throws {
        var pool = pool(["a", "b"], UpstreamRules(breaker: Self.breaker))
        var place = try pool.admit(at: start)
        _ = pool.failed(&place, at: start, jitter: 0)
        let resets = ["b", "c", "a", "a"].map { pool.reset($0, at: start) }
        #expect(resets == [false, false, true, false])
        #expect(pool.statuses(at: start).map(\.state) == [.closed, .closed])
    }

    // MARK: Another one

    @Test func anotherOneIsOneThatWasNotTried() throws {
        var pool = pool(["a", "b", "c"])
        let first = try pool.admit(at: start)
        let second = try pool.admit(after: [first], onlyOthers: true, at: start)
        let third = try pool.admit(after: [first, second], onlyOthers: true, at: start)
        #expect(Set([first.name, second.name, third.name]) == ["a", "b", "c"])
        #expect(throws: AdmissionError.self) {
            try pool.admit(after: [first, second, third], onlyOthers: true, at: start)
        }
        for place in [first, second, third] { pool.released(place, at: start) }
        #expect(pool.statuses(at: start).allSatisfy { $0.openRequests == 0 })
    }

    // MARK: Reload

    @Test func whatKeepsItsNameKeepsItsCountAndItsBreaker() throws {
        var pool = pool(["a", "b"], UpstreamRules(breaker: Self.breaker))
        var places = try open(&pool, 3)
        _ = pool.failed(&places[1], at: start, jitter: 0)
        pool.apply(["b", "c"], rules: UpstreamRules(breaker: Self.breaker), at: start)
        let standing = pool.statuses(at: start)
        #expect(standing.map(\.name) == ["b", "c"])
        #expect(standing.map(\.openRequests) == [1, 0])
        #expect(standing.map(\.state) == [.open, .closed])
        let afterwards = try pool.admit(at: start)
        #expect(afterwards.name == "c" && afterwards.index == 1)
        // Those of an upstream that is gone are given back all the same.
        for place in places { pool.released(place, at: start) }
        #expect(pool.statuses(at: start).map(\.openRequests) == [0, 1])
    }

    @Test func theTripsOfRemovedUpstreamsStillCount() throws {
        var pool = pool(["a"], UpstreamRules(breaker: Self.breaker))
        var place = try pool.admit(at: start)
        _ = pool.failed(&place, at: start, jitter: 0)
        pool.apply(["b"], rules: UpstreamRules(breaker: Self.breaker), at: start)
        #expect(pool.trips == 1)
        pool.released(place, at: start)
        #expect(pool.trips == 1)
    }

    @Test func aBreakerThatWasSwitchedOffForgetsItsTickets() throws {
        var pool = pool(["a"], UpstreamRules(breaker: Self.breaker))
        var place = try pool.admit(at: start)
        pool.apply(["a"], rules: UpstreamRules(), at: start)
        #expect(pool.statuses(at: start).map(\.state) == [nil])
        pool.apply(["a"], rules: UpstreamRules(breaker: Self.breaker), at: start)
        let counts = pool.failed(&place, at: start, jitter: 0)
        #expect(!counts)
        #expect(pool.statuses(at: start).map(\.state) == [.closed])
    }

    // MARK: Model

    /// Random walks beside plain counts: no upstream gets more than the limit, and the one with the fewest is next.
    @Test(arguments: 0..<100) func agreesWithPlainCounting(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let names = (0..<Int.random(in: 1...5, using: &random)).map { "u\($0)" }
        let limit = Int.random(in: 1...6, using: &random)
        let balance: UpstreamRules.Balance = Bool.random(using: &random) ? .leastStreams : .roundRobin
        var pool = pool(names, UpstreamRules(balance: balance, limit: limit))
        var counts = Dictionary(uniqueKeysWithValues: names.map { ($0, 0) })
        var places: [UpstreamPool.Slot] = []
        for _ in 0..<300 {
            if Bool.random(using: &random) {
                let fewest = counts.values.min() ?? 0
                guard let place = try? pool.admit(at: start) else {
                    #expect(counts.values.allSatisfy { $0 == limit })
                    continue
                }
                if balance == .leastStreams { #expect(counts[place.name] == fewest) }
                counts[place.name, default: 0] += 1
                places.append(place)
            } else if let index = places.indices.randomElement(using: &random) {
                let place = places.remove(at: index)
                counts[place.name, default: 0] -= 1
                pool.released(place, at: start)
            }
            #expect(pool.statuses(at: start).map(\.openRequests) == names.map { counts[$0] })
            #expect(counts.values.allSatisfy { $0 <= limit })
        }
        for place in places { pool.released(place, at: start) }
        #expect(pool.statuses(at: start).allSatisfy { $0.openRequests == 0 })
    }

    @Test func aDrainedUpstreamGetsNoNewRequestsAndKeepsItsOpenOnes() throws {
        let now = Instant(nanoseconds: 0)
        var pool = UpstreamPool(["a", "b"])
        let open = try pool.admit(at: now)
        #expect(open.name == "a")
        let (drains, drainsUnknown) = (pool.drain("a", true), pool.drain("c", true))
        #expect(drains && !drainsUnknown)
        for _ in 0..<3 {
            let next = try pool.admit(at: now).name
            #expect(next == "b")
        }
        #expect(pool.statuses(at: now).map(\.isDrained) == [true, false])
        #expect(pool.statuses(at: now).map(\.openRequests) == [1, 3])
        pool.released(open, at: now)
        // It stays drained over a reload.
        pool.apply(["b", "a"], rules: UpstreamRules(), at: now)
        _ = pool.drain("b", true)
        #expect(throws: AdmissionError.upstreamDrained) { try pool.admit(at: now) }
        _ = pool.drain("a", false)
        let next = try pool.admit(at: now).name
        #expect(next == "a")
        #expect(pool.statuses(at: now).map(\.requests) == [3, 2])
    }
}
