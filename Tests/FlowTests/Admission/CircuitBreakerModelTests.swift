import Flow
import TestSupport
import Testing

/// Random walks of a breaker beside a model that keeps every failure and every stream, and forgets nothing.
@Suite struct CircuitBreakerModelTests {
    private struct Stream {
        var ticket: CircuitBreaker.Ticket
        let era: Int
        var isUnjudgedProbe: Bool
    }

    /// Times in milliseconds.
    private struct Model {
        let policy: CircuitBreaker.Policy
        let window: Int, cooldown: Int
        var streams: [Stream] = []
        /// Counts trips and resets; a breaker that was idle takes the failures of all eras.
        var era = 0
        var takesAllEras = true
        var failures: [Int] = []
        var openUntil: Int?
        var isHalfOpen = false
        var successes = 0
        /// The last instant that mattered: of an event, or the end of a cooldown.
        var mattered = -1_000_000

        var unjudged: Int { streams.count { $0.isUnjudgedProbe && $0.era == era } }

        mutating func settle(at now: Int) {
            if isHalfOpen && unjudged > 0 { return }
            guard now >= mattered + window else { return }
            (openUntil, isHalfOpen, failures, takesAllEras) = (nil, false, [], true)
        }

        /// `nil`: admitted; else the milliseconds to wait.
        mutating func admit(at now: Int) -> (wait: Int?, isProbe: Bool) {
            settle(at: now)
            if let until = openUntil {
                if now < until { return (until - now, false) }
                (openUntil, isHalfOpen, successes) = (nil, true, 0)
            }
            guard isHalfOpen else { return (nil, false) }
            if unjudged >= policy.probes { return (1000, false) }
            mattered = max(mattered, now)
            return (nil, true)
        }

        mutating func succeeded(_ place: Int, at now: Int) {
            defer { streams[place].isUnjudgedProbe = false }
            guard isHalfOpen, streams[place].isUnjudgedProbe, streams[place].era == era else { return }
            mattered = max(mattered, now)
            successes += 1
            if successes == policy.probes { isHalfOpen = false }
        }

        mutating func failed(_ place: Int, at now: Int, jitter: Double) -> Bool {
            settle(at: now)
            let stream = streams.remove(at: place)
            guard openUntil == nil, takesAllEras || stream.era == era else { return false }
            mattered = max(mattered, now)
            if !isHalfOpen {
                failures.append(now)
                guard failures.count(where: { now - $0 < window }) >= policy.trips else { return false }
            }
            let until = now + cooldown + Int(Double(cooldown / 5) * jitter)
            (openUntil, isHalfOpen, failures, takesAllEras, mattered) = (until, false, [], false, until)
            era += 1
            return true
        }

        mutating func released(_ place: Int, at now: Int) {
            let stream = streams.remove(at: place)
            if isHalfOpen, stream.isUnjudgedProbe, stream.era == era { mattered = max(mattered, now) }
        }

        mutating func reset(at now: Int) {
            (openUntil, isHalfOpen, failures, takesAllEras) = (nil, false, [], false)
            mattered = max(mattered, now)
            era += 1
        }

        func state(at now: Int) -> CircuitBreaker.State {
            var settled = self
            settled.settle(at: now)
            if let until = settled.openUntil { return now < until ? .open : .halfOpen }
            return settled.isHalfOpen ? .halfOpen : .closed
        }
    }

    private func instant(_ milliseconds: Int) -> Instant { Instant(nanoseconds: Int64(milliseconds) * 1_000_000) }

    @Test(arguments: 0..<200) func agreesWithAModelThatForgetsNothing(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let window = Int.random(in: 1...20, using: &random) * 1000
        let cooldown = Int.random(in: 1...10, using: &random) * 1000
        let policy = CircuitBreaker.Policy(
            trips: Int.random(in: 1...5, using: &random), window: .milliseconds(window),
            cooldown: .milliseconds(cooldown), probes: Int.random(in: 1...3, using: &random))
        var breaker = CircuitBreaker(policy: policy)
        var model = Model(policy: policy, window: window, cooldown: cooldown)
        var now = 0
        for _ in 0..<600 {
            now += Int.random(in: 0...(Int.random(in: 0..<20, using: &random) == 0 ? 30_000 : 1500), using: &random)
            let place = model.streams.indices.randomElement(using: &random)
            switch (Int.random(in: 0..<40, using: &random), place) {
            case (0, _):
                breaker.reset(at: instant(now))
                model.reset(at: now)
            case (1...12, let place?):
                breaker.succeeded(&model.streams[place].ticket, at: instant(now))
                model.succeeded(place, at: now)
            case (13...20, let place?):
                let jitter = [0, 0.5, 1][Int.random(in: 0..<3, using: &random)], trips = breaker.trips
                let isTripped = breaker.failed(model.streams[place].ticket, at: instant(now), jitter: jitter)
                let isExpected = model.failed(place, at: now, jitter: jitter)
                #expect(isTripped == isExpected)
                #expect(breaker.trips == trips + (isTripped ? 1 : 0))
            case (21...24, let place?):
                breaker.released(model.streams[place].ticket, at: instant(now))
                model.released(place, at: now)
            default: tryToAdmit(at: now, &breaker, &model)
            }
            #expect(breaker.state(at: instant(now)) == model.state(at: now))
        }
        #expect(model.era > 0)
    }

    private func tryToAdmit(at now: Int, _ breaker: inout CircuitBreaker, _ model: inout Model) {
        let expected = model.admit(at: now)
        do throws(CircuitBreaker.Refusal) {
            let ticket = try breaker.admit(at: instant(now))
            #expect(expected.wait == nil)
            #expect(ticket.isProbe == expected.isProbe)
            model.streams.append(Stream(ticket: ticket, era: model.era, isUnjudgedProbe: ticket.isProbe))
        } catch {
            #expect(expected.wait.map { .milliseconds($0) } == error.retryAfter)
            #expect(error.state == model.state(at: now))
            guard error.state == .open else { return }
            // A client that returns at its time is admitted.
            var later = breaker
            #expect(throws: Never.self) { _ = try later.admit(at: instant(now) + error.retryAfter) }
        }
    }
}
