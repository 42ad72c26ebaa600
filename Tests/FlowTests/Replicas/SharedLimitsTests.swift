import Flow
import TestSupport
import Testing

@Suite struct SharedLimitsTests {
    private let streams = StoreKey(.streams, route: "/", client: ClientKey("a"))
    private let starts = StoreKey(.starts, route: "/", client: ClientKey("a"))

    private func limits(_ most: Int = 4, burst: Int = 2) throws -> [SharedLimit] {
        [.streams(streams, limit: most), .starts(starts, StartAllowance(rate: try .of("1/second"), burst: burst))]
    }

    /// Limits whose store is up and has reported a number of replicas.
    private func up(replicas: Int64 = 2) throws -> SharedLimits {
        var limits = SharedLimits(at: .seconds(0))
        let commands = limits.takeCommands(at: .seconds(0))
        let probe = try #require(commands.first)
        let reply = try StoreReply([100, 7, replicas - 1], to: probe)
        _ = limits.answered(probe, reply, jitter: 0, at: .seconds(0))
        _ = limits.takeCommands(at: .seconds(0))
        return limits
    }

    private func asked(_ step: SharedLimits.Step) throws -> StoreCommand {
        guard case .ask(let command) = step else { throw NoCommand() }
        return command
    }

    private struct NoCommand: Error {}

    @Test func aStartAsksTheStoreWithAbsoluteCounts() throws {
        var shared = try up()
        let first = try asked(shared.start(limits(), at: .seconds(1)))
        let second = try asked(shared.start(limits(), at: .seconds(1)))
        #expect(first.content == .start(try limits(), counts: [1, 0]))
        #expect(second.content == .start(try limits(), counts: [2, 0]))
        #expect(first.sequence < second.sequence)
        #expect(
            first.arguments(replica: "r").dropFirst(2) == [
                "15000000", "15000000", "slots", "1", "4", "2", "rate", "1000000", "1000000", "0",
            ])
        #expect(first.keys(prefix: "weir:")[0] == "weir:born")
        let verdict = shared.answered(
            first, try StoreReply([9, 7, 1, 0, 0, 1, 500_000], to: first), jitter: 0, at: .seconds(1))
        let quotas = ClientQuotas(starts: StartQuota(remaining: 1, resetSeconds: 1), streams: 1)
        #expect(verdict == .admitted(.byStore(quotas)))
    }

    @Test func aRefusalGivesTheSlotBackAndAnswersRepeats() throws {
        var shared = try up()
        let command = try asked(shared.start(limits(), at: .seconds(1)))
        let reply = try StoreReply([9, 7, 0, 2, 250_000, 0, 1_250_000], to: command)
        let verdict = shared.answered(command, reply, jitter: 0, at: .seconds(1))
        #expect(verdict == .refused(limit: 1, wait: .milliseconds(250)))
        #expect(shared.slots.streams(of: streams) == 0)
        let repeated = try shared.start(limits(), at: .seconds(1.1))
        #expect(repeated == .decided(.refused(limit: 1, wait: .milliseconds(150))))
    }

    @Test func aFullReplicaDoesNotAsk() throws {
        var shared = try up()
        _ = try shared.start(limits(1), at: .seconds(1))
        let second = try shared.start(limits(1), at: .seconds(1))
        #expect(second == .decided(.refused(limit: 0, wait: .zero)))
    }

    @Test func withoutTheStoreThePartOfEachLimitIsAdmitted() throws {
        var shared = try up()
        let command = try asked(shared.start(limits(), at: .seconds(1)))
        let verdict = shared.failed(command, jitter: 1, at: .seconds(1))
        #expect(verdict == .admitted(.alone) && !shared.health.isUp)
        #expect(shared.slots.streams(of: streams) == 1)
        // A burst of two for two replicas is one, at half the rate.
        let second = try shared.start(limits(), at: .seconds(1))
        #expect(second == .decided(.refused(limit: 1, wait: .seconds(2))))
        let later = try shared.start(limits(), at: .seconds(3))
        #expect(later == .decided(.admitted(.alone)))
        let third = try shared.start(limits(), at: .seconds(9))
        #expect(third == .decided(.refused(limit: 0, wait: .zero)))
    }

    @Test func afterAReturnEverythingIsWrittenAgain() throws {
        var shared = try up()
        let command = try asked(shared.start(limits(), at: .seconds(1)))
        _ = shared.failed(command, jitter: 0, at: .seconds(1))
        let none = shared.takeCommands(at: .seconds(1))
        #expect(none.isEmpty)
        let due = try #require(shared.deadline)
        let probes = shared.takeCommands(at: due), more = shared.takeCommands(at: due)
        let probe = try #require(probes.first)
        #expect(more.isEmpty && shared.deadline == nil)
        _ = shared.answered(probe, try StoreReply([9, 7, 1], to: probe), jitter: 0, at: due)
        let written = shared.takeCommands(at: due + .milliseconds(5)).map(\.content)
        #expect(written == [.counts([ReplicaSlots.Count(key: streams, streams: 1)])])
    }

    @Test func aStoreThatHasLostItsDataGetsAllCounts() throws {
        var shared = try up()
        let command = try asked(shared.start(limits(), at: .seconds(1)))
        _ = shared.answered(command, try StoreReply([9, 7, 1, 0, 0, 0, 0], to: command), jitter: 0, at: .seconds(1))
        let none = shared.takeCommands(at: .seconds(2))
        #expect(none.isEmpty)
        let other = try asked(shared.start(limits(), at: .seconds(2)))
        _ = shared.answered(other, try StoreReply([9, 8, 1, 0, 0, 0, 0], to: other), jitter: 0, at: .seconds(2))
        let written = shared.takeCommands(at: .seconds(2.005)).map { $0.content }
        #expect(written == [.counts([ReplicaSlots.Count(key: streams, streams: 2)])])
    }

    @Test func theFirstToRegisterAtAStoreWithoutItsDataEnforcesItsPart() throws {
        var shared = try up()
        for time in [5.0, 10, 15, 20] {
            let heartbeat = try #require(shared.takeCommands(at: .seconds(time)).first)
            _ = shared.answered(heartbeat, try StoreReply([9, 8, 0], to: heartbeat), jitter: 0, at: .seconds(time))
            let start = try asked(shared.start(limits(burst: 9), at: .seconds(time)))
            // The replica's part of four streams.
            #expect(start.arguments(replica: "r")[7] == (time < 20 ? "2" : "4"))
        }
    }

    @Test func aLateAnswerOfAStoreWithoutItsDataDoesNotLowerTheCount() throws {
        var shared = try up()
        let lost = try asked(shared.start(limits(), at: .seconds(5)))
        let heartbeat = try #require(shared.takeCommands(at: .seconds(5)).first)
        _ = shared.failed(lost, jitter: 0, at: .seconds(5.1))
        _ = shared.answered(heartbeat, try StoreReply([9, 8, 0], to: heartbeat), jitter: 0, at: .seconds(5.1))
        #expect(shared.health.replicas == 2)
    }

    @Test func theLargestNumbersOfTheStoreAreTaken() throws {
        var shared = try up(replicas: 1 << 31 + 1)
        let command = try asked(shared.start(limits(), at: .seconds(1)))
        let reply = try StoreReply([.max, 7, 1, 0, 0, 1 << 31, 1 << 52], to: command)
        let verdict = shared.answered(command, reply, jitter: 0, at: .seconds(1))
        guard case .admitted(.byStore(let quotas)) = verdict else { throw NoCommand() }
        #expect(quotas.streams == 0 && quotas.starts?.remaining == 0)
    }

    @Test func withoutTheStoreNoClientIsKeptThatHasNoStream() throws {
        var shared = SharedLimits(at: .seconds(0))
        for number in 0..<100 {
            let key = StoreKey(.streams, route: "\(number)")
            let step = shared.start([.streams(key, limit: 3)], at: .seconds(0))
            #expect(step == .decided(.admitted(.alone)))
            shared.ended([.streams(key, limit: 3)], at: .seconds(0))
        }
        #expect(shared.slots.knownKeys == 0)
    }

    @Test func aLateAnswerOfALostStoreDoesNotKeepClientsWithoutAStream() throws {
        var shared = try up()
        let lost = try asked(shared.start(limits(), at: .seconds(1)))
        let late = try asked(shared.start(limits(), at: .seconds(1)))
        _ = shared.failed(lost, jitter: 0, at: .seconds(1))
        _ = shared.answered(late, try StoreReply([9, 8, 1, 0, 0, 0, 0], to: late), jitter: 0, at: .seconds(1))
        for number in 0..<100 {
            let key = StoreKey(.streams, route: "\(number)")
            _ = shared.start([.streams(key, limit: 3)], at: .seconds(1))
            shared.ended([.streams(key, limit: 3)], at: .seconds(1))
        }
        #expect(shared.slots.knownKeys == 1 && shared.slots.deadline == nil)
    }

    @Test func aRefundOfAnAdmittedStartIsSentAndClearsTheRefusal() throws {
        var shared = try up()
        let command = try shared.refund(limits())
        let refund = try #require(command)
        #expect(refund.arguments(replica: "r") == ["1000000"] && refund.script == .refund)
    }
}

@Suite struct StoreReplyTests {
    private func command() throws -> StoreCommand {
        StoreCommand(.start([.streams(.replicas, limit: 3)], counts: [1]), sequence: 1, replicas: 1)
    }

    @Test func readsWhatTheScriptReturns() throws {
        #expect(try StoreReply([5, 4, 1, 0, 0, 2], to: command()).content == .admitted([2]))
        #expect(try StoreReply([5, 4, 0, 1, 0, 2], to: command()).content == .refused(limit: 0, wait: .zero))
    }

    @Test func readsSharesAndCredit() throws {
        let keys = ["a", "b"].map { StoreKey(.shares, route: "/", client: ClientKey($0)) }
        let requests = keys.map { RateShare.Request(key: $0, limit: 3_000_000, held: 1, demand: 2, unused: 4) }
        let command = StoreCommand(.shares(requests), sequence: 6, replicas: 1)
        #expect(command.arguments(replica: "r").dropFirst(3) == ["3000000", "1", "2", "4", "3000000", "1", "2", "4"])
        #expect(
            try StoreReply([5, 4, 0, 7, 8, 9, 3_000_000], to: command).content
                == .shares([.init(share: 7, credit: 8), .init(share: 9, credit: 3_000_000)], isYoung: false))
        for integers in [
            [5, 4, 0, 7, 8, 9], [5, 4, 2, 7, 8, 9, 0], [5, 4, 0, 7, 8, 9, 3_000_001], [5, 4, 0, 3_000_001, 0, 0, 0],
            [5, 4, 0, 0, 0, 1 << 62, 0],
        ] as [[Int64]] {
            #expect(throws: StoreFailure.malformed) { try StoreReply(integers, to: command) }
        }
    }

    @Test(
        arguments: [
            [], [5], [5, 4], [5, 4, 1, 0, 0], [5, 4, 2, 0, 0, 2], [5, 4, 0, 2, 0, 2], [5, 4, 0, 0, 0, 2],
            [5, 4, 1, 0, 0, -2],
            [5, 4, 0, 1, .max, 2], [5, 4, 0, .max, 0, 2], [5, 4, 1, 0, 0, .max], [5, 4, 1, 0, 0, 1 << 31 + 1],
        ] as [[Int64]]) func anythingElseIsMalformed(integers: [Int64]) throws
    {
        #expect(throws: StoreFailure.malformed) { try StoreReply(integers, to: command()) }
    }

    @Test func aCountThatNoReplicasCanHaveIsMalformed() throws {
        let counts = StoreCommand(
            .counts([ReplicaSlots.Count(key: .replicas, streams: 1)]), sequence: 1, replicas: 1)
        #expect(try StoreReply([5, 4, 1 << 31], to: counts).content == .counts(others: [1 << 31]))
        #expect(throws: StoreFailure.malformed) { try StoreReply([5, 4, 1 << 31 + 1], to: counts) }
    }

    @Test func aDistanceThatNoStartCanHaveIsMalformed() throws {
        let allowance = StartAllowance(rate: try .of("1/second"), burst: 2)
        let start = StoreCommand(.start([.starts(.replicas, allowance)], counts: [0]), sequence: 1, replicas: 1)
        #expect(try StoreReply([5, 4, 1, 0, 0, 1 << 52], to: start).content == .admitted([1 << 52]))
        #expect(throws: StoreFailure.malformed) { try StoreReply([5, 4, 1, 0, 0, 1 << 52 + 1], to: start) }
    }
}
