import Flow
import TestSupport
import Testing

/// Streams that draw from one budget on a clock of their own, and what each of them gets.
@Suite struct RecordBudgetModelTests {
    /// A stream that sends a lease as soon as it is due and draws the next at once, or at its own pace.
    private struct Stream {
        /// Seconds between its draws; `nil`: it always wants more.
        let pause: Double?
        let wanted: Int
        var lease: RecordBudget.Lease?
        var next = Instant.seconds(0)
        var sent = 0
        var draws = 0
    }

    /// Lets the streams run, and returns how many records were sent at which time.
    private func run(
        _ streams: inout [Stream], _ budget: inout RecordBudget, until end: Instant
    ) -> [(at: Instant, records: Int)] {
        var log: [(at: Instant, records: Int)] = []
        while let place = streams.indices.min(by: { streams[$0].next < streams[$1].next }), streams[place].next < end {
            let now = streams[place].next
            if let lease = streams[place].lease {
                streams[place].sent += lease.records
                log.append((now, lease.records))
            }
            // A modest stream that has waited for its lease pauses from then on.
            let lease = budget.draw(upTo: streams[place].wanted, after: streams[place].lease, at: now)
            streams[place].lease = lease
            streams[place].draws += 1
            let paused = streams[place].pause.map { now + .nanoseconds(Int64($0 * 1e9)) } ?? now
            streams[place].next = max(lease.notBefore, paused, now)
        }
        return log
    }

    @Test(arguments: [1, 2, 3, 7, 16, 40], ["100/second", "1000/second", "50000/second"])
    func backloggedStreamsShareEquallyAndTheLockIsTakenSeldom(count: Int, rate: String) throws {
        let rate = try Rate.of(rate)
        var budget = RecordBudget(RecordAllowance(rate: rate), at: .seconds(0))
        var streams = Array(repeating: Stream(pause: nil, wanted: .max), count: count)
        // The initial burst goes to the first streams.
        _ = run(&streams, &budget, until: .seconds(2))
        for place in streams.indices { (streams[place].sent, streams[place].draws) = (0, 0) }
        _ = run(&streams, &budget, until: .seconds(22))
        let fair = rate.recordsPerSecond * 20 / Double(count)
        for stream in streams {
            #expect(abs(Double(stream.sent) - fair) <= max(2, 0.03 * fair))
            #expect(stream.draws <= 2000)
        }
        let all = Double(streams.reduce(0) { $0 + $1.sent })
        #expect(abs(all - rate.recordsPerSecond * 20) <= 0.01 * rate.recordsPerSecond * 20)
    }

    @Test(arguments: [2, 5, 20]) func aModestStreamGetsWhatItWantsAndTheOthersShareTheRest(count: Int) throws {
        let rate = try Rate.of("1000/second")
        var budget = RecordBudget(RecordAllowance(rate: rate), at: .seconds(0))
        // 10 records a second, far below any share.
        var streams = [Stream(pause: 0.1, wanted: 1)] + Array(repeating: Stream(pause: nil, wanted: .max), count: count)
        _ = run(&streams, &budget, until: .seconds(2))
        for place in streams.indices { streams[place].sent = 0 }
        _ = run(&streams, &budget, until: .seconds(22))
        #expect((198...201).contains(streams[0].sent))
        let fair = Double(20_000 - 200) / Double(count)
        for stream in streams.dropFirst() { #expect(abs(Double(stream.sent) - fair) <= 0.03 * fair) }
    }

    @Test func aStreamThatComesLateHasItsShareFromThenOn() throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of("1000/second")), at: .seconds(0))
        var streams = [Stream(pause: nil, wanted: .max)]
        _ = run(&streams, &budget, until: .seconds(5))
        streams.append(Stream(pause: nil, wanted: .max, next: .seconds(5)))
        for place in streams.indices { streams[place].sent = 0 }
        _ = run(&streams, &budget, until: .seconds(15))
        for stream in streams { #expect((4850...5150).contains(stream.sent)) }
    }

    /// What leaves stays within the rate and the burst, from the beginning and in every stretch.
    @Test(arguments: 0..<100) func neverMoreThanTheRateAndTheBurst(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let rate = try #require(Rate(Int.random(in: 1...5000, using: &random), per: .second))
        var budget = RecordBudget(RecordAllowance(rate: rate), at: .seconds(0))
        var streams = (0..<Int.random(in: 1...8, using: &random)).map { _ in
            Stream(
                pause: Bool.random(using: &random) ? nil : Double.random(in: 0...0.5, using: &random),
                wanted: Int.random(in: 1...100, using: &random),
                next: .seconds(Double.random(in: 0...3, using: &random)))
        }
        var log: [(at: Instant, records: Int)] = []
        var now = 0.0
        while now < 10 {
            now += Double.random(in: 0.1...1, using: &random)
            log += run(&streams, &budget, until: .seconds(now))
            // Now and then a stream leaves and gives its lease back, and another comes.
            let place = Int.random(in: 0..<streams.count, using: &random)
            guard let lease = streams[place].lease else { continue }
            budget.giveBack(lease.records, at: .seconds(now))
            streams[place] = Stream(
                pause: nil, wanted: Int.random(in: 1...50, using: &random), next: .seconds(now))
        }
        // A modest stream may hold a lease that is due; those are at most a round's records.
        let perSecond = rate.recordsPerSecond, held = Double(streams.count) * max(1, 0.016 * perSecond)
        log.sort { $0.at < $1.at }
        var total = 0
        for entry in log {
            total += entry.records
            #expect(Double(total) <= perSecond * ((entry.at - .seconds(0)).inSeconds + 1) + 0.001)
        }
        for first in stride(from: 0, to: log.count, by: 1 + log.count / 40) {
            var sum = 0
            for entry in log[first...] {
                sum += entry.records
                let seconds = (entry.at - log[first].at).inSeconds
                #expect(Double(sum) <= perSecond * (seconds + 1) + held + 0.001)
            }
        }
    }
}
