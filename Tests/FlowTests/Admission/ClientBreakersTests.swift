import Flow
import TestSupport
import Testing

@Suite struct ClientBreakersTests {
    private let ann = ClientKey("ann"), ben = ClientKey("ben")
    private let policy = CircuitBreaker.Policy(trips: 2, window: .seconds(60), cooldown: .seconds(30))

    private func trip(_ client: ClientKey, _ breakers: inout ClientBreakers, at now: Instant) throws {
        for _ in 0..<2 { _ = breakers.failed(client, try breakers.admit(client, at: now), at: now, jitter: 0) }
    }

    @Test func oneClientsFailuresAreNotAnothers() throws {
        var breakers = ClientBreakers(policy: policy)
        try trip(ann, &breakers, at: .seconds(0))
        #expect(throws: CircuitBreaker.Refusal(state: .open, retryAfter: .seconds(30))) {
            _ = try breakers.admit(ann, at: .seconds(0))
        }
        #expect(try !breakers.admit(ben, at: .seconds(0)).isProbe)
        #expect(breakers.state(of: ann, at: .seconds(0)) == .open)
        #expect(breakers.state(of: ben, at: .seconds(0)) == .closed)
        #expect(breakers.trips == 1)
    }

    @Test func openBreakersAreListedUpToTheLimit() throws {
        var breakers = ClientBreakers(policy: policy)
        _ = breakers.failed(ben, try breakers.admit(ben, at: .seconds(0)), at: .seconds(0), jitter: 0)
        try trip(ann, &breakers, at: .seconds(0))
        let standing = breakers.notClosed(atMost: 9, at: .seconds(10))
        #expect(standing.map(\.client) == [ann])
        #expect(standing.map(\.state) == [.open])
        #expect(standing.map(\.openFor) == [.seconds(20)])
        #expect(breakers.notClosed(atMost: 9, at: .seconds(30)).map(\.state) == [.halfOpen])
        #expect(breakers.notClosed(atMost: 0, at: .seconds(10)).isEmpty)
    }

    @Test func aClientWithoutFailuresHasNoEntry() throws {
        var breakers = ClientBreakers(policy: policy)
        for number in 0..<1000 {
            let client = ClientKey("\(number)")
            var ticket = try breakers.admit(client, at: .seconds(0))
            breakers.succeeded(client, &ticket, at: .seconds(1))
            breakers.released(client, ticket, at: .seconds(2))
        }
        #expect(breakers.knownClients == 0)
    }

    @Test func openAndHalfOpenAreCountedAtTheTimeOfTheQuestion() throws {
        var breakers = ClientBreakers(policy: policy)
        for number in 0..<5 { try trip(ClientKey("\(number)"), &breakers, at: .seconds(0)) }
        try trip(ann, &breakers, at: .seconds(10))
        _ = breakers.failed(ben, try breakers.admit(ben, at: .seconds(10)), at: .seconds(10), jitter: 0)
        #expect(breakers.openCounts(at: .seconds(10)) == (open: 6, halfOpen: 0))
        #expect(breakers.openCounts(at: .seconds(30)) == (open: 1, halfOpen: 5))
        #expect(breakers.openCounts(at: .seconds(90)) == (open: 0, halfOpen: 1))
        #expect(breakers.openCounts(at: .seconds(100)) == (open: 0, halfOpen: 0))
    }

    @Test func aFloodOfOtherClientsDoesNotPushAnOpenBreakerOut() throws {
        var breakers = ClientBreakers(policy: policy)
        try trip(ann, &breakers, at: .seconds(0))
        for number in 0..<100_000 {
            let client = ClientKey("\(number)"), now = Instant.seconds(Double(number) * 0.00029)
            _ = breakers.failed(client, try breakers.admit(client, at: now), at: now, jitter: 0)
        }
        #expect(throws: CircuitBreaker.Refusal.self) { _ = try breakers.admit(ann, at: .seconds(29.9)) }
    }

    @Test func clientsThatFailedOnceAreForgottenAfterAWindow() throws {
        var breakers = ClientBreakers(policy: policy)
        var most = 0
        for number in 0..<100_000 {
            let client = ClientKey("\(number)"), now = Instant.seconds(Double(number) / 10)
            _ = breakers.failed(client, try breakers.admit(client, at: now), at: now, jitter: 0)
            most = max(most, breakers.knownClients)
        }
        // In a window of 60 s come 600 others.
        #expect((600...900).contains(most))
    }

    @Test func anOperatorClosesOneBreakerOrAll() throws {
        var breakers = ClientBreakers(policy: policy)
        for client in [ann, ben] { try trip(client, &breakers, at: .seconds(0)) }
        breakers.reset(ann, at: .seconds(1))
        breakers.reset(ClientKey("unknown"), at: .seconds(1))
        #expect(breakers.state(of: ann, at: .seconds(1)) == .closed)
        #expect(breakers.state(of: ben, at: .seconds(1)) == .open)
        breakers.resetAll(at: .seconds(2))
        #expect(breakers.openCounts(at: .seconds(2)) == (open: 0, halfOpen: 0))
        _ = try breakers.admit(ben, at: .seconds(2))
    }

    @Test func aBreakerThatAnotherReplicaHasOpenedRejectsUntilThenAndProbes() throws {
        var breakers = ClientBreakers(policy: policy)
        let before = try breakers.admit(ann, at: .seconds(0))
        breakers.opened(ann, until: .seconds(40), at: .seconds(10))
        breakers.opened(ann, until: .seconds(35), at: .seconds(11))
        #expect(throws: CircuitBreaker.Refusal(state: .open, retryAfter: .seconds(28))) {
            _ = try breakers.admit(ann, at: .seconds(12))
        }
        // A stream from before counts for nothing, and neither is a trip.
        let hasOpened = breakers.failed(ann, before, at: .seconds(12), jitter: 0)
        #expect(!hasOpened && breakers.trips == 0)
        var probe = try breakers.admit(ann, at: .seconds(40))
        #expect(probe.isProbe)
        // Another replica's probe has failed.
        breakers.opened(ann, until: .seconds(80), at: .seconds(41))
        breakers.succeeded(ann, &probe, at: .seconds(42))
        #expect(breakers.state(of: ann, at: .seconds(42)) == .open)
    }

    @Test func anOpeningWhoseWindowIsOverChangesNothing() throws {
        var breakers = ClientBreakers(policy: policy)
        breakers.opened(ann, until: .seconds(40), at: .seconds(101))
        #expect(try !breakers.admit(ann, at: .seconds(101)).isProbe)
    }

    @Test func aNewPolicyReachesEveryBreaker() throws {
        var breakers = ClientBreakers(policy: policy)
        _ = breakers.failed(ann, try breakers.admit(ann, at: .seconds(0)), at: .seconds(0), jitter: 0)
        breakers.policy = .init(trips: 3, window: .seconds(60), cooldown: .seconds(30))
        #expect(breakers.failed(ann, try breakers.admit(ann, at: .seconds(1)), at: .seconds(1), jitter: 0) == false)
        #expect(breakers.failed(ann, try breakers.admit(ann, at: .seconds(2)), at: .seconds(2), jitter: 0) == true)
        let newcomer = try breakers.admit(ben, at: .seconds(2))
        for _ in 0..<2 { #expect(breakers.failed(ben, newcomer, at: .seconds(2), jitter: 0) == false) }
    }

    /// Forgetting makes no difference: a table beside breakers that are never forgotten.
    @Test(arguments: 0..<100) func agreesWithBreakersThatAreKeptForEver(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let policy = CircuitBreaker.Policy(
            trips: Int.random(in: 1...2, using: &random), window: .seconds(Int.random(in: 2...10, using: &random)),
            cooldown: .seconds(Int.random(in: 1...5, using: &random)), probes: Int.random(in: 1...2, using: &random))
        var breakers = ClientBreakers(policy: policy)
        var kept = Array(repeating: CircuitBreaker(policy: policy), count: 6)
        var streams: [(client: Int, ticket: CircuitBreaker.Ticket, twin: CircuitBreaker.Ticket)] = []
        var now = Instant.seconds(0), known = 0, wasForgotten = false
        for _ in 0..<1000 {
            let isQuiet = Int.random(in: 0..<50, using: &random) == 0
            now = now + .milliseconds(Int.random(in: 0...(isQuiet ? 30_000 : 800), using: &random))
            wasForgotten = wasForgotten || breakers.knownClients < known
            known = breakers.knownClients
            let event = Int.random(in: 0..<10, using: &random)
            if event < 4 || streams.isEmpty {
                let client = Int.random(in: 0..<6, using: &random)
                let ticket = Result { () throws(CircuitBreaker.Refusal) in
                    try breakers.admit(ClientKey("\(client)"), at: now)
                }
                let twin = Result { () throws(CircuitBreaker.Refusal) in try kept[client].admit(at: now) }
                #expect(ticket.map(\.isProbe) == twin.map(\.isProbe))
                if let ticket = try? ticket.get(), let twin = try? twin.get() { streams.append((client, ticket, twin)) }
                continue
            }
            let place = Int.random(in: 0..<streams.count, using: &random)
            let client = streams[place].client, key = ClientKey("\(client)")
            if event < 6 {
                breakers.succeeded(key, &streams[place].ticket, at: now)
                kept[client].succeeded(&streams[place].twin, at: now)
            } else {
                let stream = streams.remove(at: place)
                if event < 8 {
                    let isTripped = breakers.failed(key, stream.ticket, at: now, jitter: 0)
                    let isTwinTripped = kept[client].failed(stream.twin, at: now, jitter: 0)
                    #expect(isTripped == isTwinTripped)
                } else {
                    breakers.released(key, stream.ticket, at: now)
                    kept[client].released(stream.twin, at: now)
                }
            }
            #expect(breakers.state(of: key, at: now) == kept[client].state(at: now))
        }
        #expect(breakers.trips == kept.reduce(0) { $0 + $1.trips })
        #expect(breakers.trips > 0)
        #expect(wasForgotten)
    }
}
