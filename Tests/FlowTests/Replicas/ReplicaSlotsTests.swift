import Flow
import TestSupport
import Testing

@Suite struct ReplicaSlotsTests {
    private let key = StoreKey(.streams, route: "/", client: ClientKey("a"))
    private let other = StoreKey(.streams, route: "/", client: ClientKey("b"))

    private func writes(_ slots: inout ReplicaSlots, _ sequence: Int64, at seconds: Double) -> [Int] {
        slots.takeWrites(upTo: 64, sequence: sequence, at: .seconds(seconds)).map(\.streams)
    }

    @Test func anAdmittedStartNeedsNoWriteAndItsEndOne() {
        var slots = ReplicaSlots()
        let count = slots.opened(key, sequence: 1, at: .seconds(0))
        #expect(count == 1)
        #expect(writes(&slots, 2, at: 1).isEmpty)
        slots.closed(key, at: .seconds(1))
        slots.closed(count == 1 ? reopened(&slots) : key, at: .seconds(1))
        #expect(writes(&slots, 4, at: 2) == [0])
        #expect(writes(&slots, 5, at: 3).isEmpty)
    }

    private func reopened(_ slots: inout ReplicaSlots) -> StoreKey {
        _ = slots.opened(key, sequence: 3, at: .seconds(1))
        return key
    }

    @Test func aCountIsWrittenAgainEveryFiveSecondsAndAZeroIsForgotten() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: 1, at: .seconds(0))
        #expect(slots.deadline == .seconds(5))
        #expect(writes(&slots, 2, at: 4.9).isEmpty)
        #expect(writes(&slots, 3, at: 5) == [1])
        #expect(writes(&slots, 4, at: 10) == [1])
        slots.closed(key, at: .seconds(11))
        #expect(writes(&slots, 5, at: 11) == [0])
        #expect(slots.knownKeys == 1)
        #expect(writes(&slots, 6, at: 15).isEmpty)
        #expect(slots.knownKeys == 0 && slots.deadline == nil)
    }

    @Test func aRefusalIsWrittenOnlyIfAnotherCommandHasCarriedItsCount() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: 1, at: .seconds(0))
        slots.refused(key, sequence: 1, at: .seconds(0))
        #expect(writes(&slots, 2, at: 1).isEmpty)
        _ = slots.opened(key, sequence: 3, at: .seconds(1))
        _ = slots.opened(key, sequence: 4, at: .seconds(1))
        slots.refused(key, sequence: 3, at: .seconds(1))
        #expect(writes(&slots, 5, at: 2) == [1])
    }

    @Test func anAdmittedStartCarriesTheChangesBeforeIt() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: 1, at: .seconds(0))
        slots.closed(key, at: .seconds(0))
        #expect(slots.deadline == .seconds(0))
        _ = slots.opened(key, sequence: 2, at: .seconds(0.001))
        #expect(slots.deadline == .seconds(5))
        #expect(slots.admitted(key, sequence: 2, others: 0, limit: 1) == 1)
        #expect(writes(&slots, 3, at: 1).isEmpty)
    }

    @Test func theChangesBeforeARefusedStartAreWritten() {
        var slots = ReplicaSlots()
        for sequence in 1...2 { _ = slots.opened(key, sequence: Int64(sequence), at: .seconds(0)) }
        slots.closed(key, at: .seconds(0))
        _ = slots.opened(key, sequence: 3, at: .seconds(0.001))
        #expect(writes(&slots, 4, at: 1).isEmpty)
        slots.refused(key, sequence: 3, at: .seconds(1))
        #expect(writes(&slots, 4, at: 2) == [1])
    }

    @Test func theChangesBeforeTwoStartsAreWrittenUnlessTheLastOneIsAdmitted() {
        for isAdmitted in [true, false] {
            var slots = ReplicaSlots()
            _ = slots.opened(key, sequence: 1, at: .seconds(0))
            slots.closed(key, at: .seconds(0))
            for sequence in 2...3 { _ = slots.opened(key, sequence: Int64(sequence), at: .seconds(0.001)) }
            #expect(slots.admitted(key, sequence: 2, others: 0, limit: 2) == 2)
            if isAdmitted {
                _ = slots.admitted(key, sequence: 3, others: 0, limit: 2)
            } else {
                slots.refused(key, sequence: 3, at: .seconds(0.002))
            }
            #expect(writes(&slots, 4, at: 1) == (isAdmitted ? [] : [1]))
        }
    }

    @Test func aChangeDuringAStartIsWritten() {
        var slots = ReplicaSlots()
        for sequence in 1...2 { _ = slots.opened(key, sequence: Int64(sequence), at: .seconds(0)) }
        slots.closed(key, at: .seconds(0))
        _ = slots.opened(key, sequence: 3, at: .seconds(0))
        slots.closed(key, at: .seconds(0))
        #expect(slots.admitted(key, sequence: 3, others: 0, limit: 3) == 1)
        #expect(writes(&slots, 4, at: 1) == [1])
        #expect(writes(&slots, 5, at: 2).isEmpty)
    }

    @Test func aStreamThatWasAdmittedAloneIsWritten() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: nil, at: .seconds(0))
        #expect(writes(&slots, 1, at: 0) == [1])
    }

    @Test func changesAreCollectedForAMoment() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: nil, at: .seconds(0))
        #expect(writes(&slots, 1, at: 0) == [1])
        _ = slots.opened(other, sequence: nil, at: .seconds(0))
        #expect(writes(&slots, 2, at: 0.004).isEmpty)
        #expect(slots.deadline == .seconds(0.005))
        #expect(writes(&slots, 2, at: 0.005) == [1])
    }

    @Test func anEndWaitsForTheNextStartWhileLessThanHalfOfTheLimitIsUsed() {
        for (others, limit) in [(0, 4), (4, 12)] {
            var slots = ReplicaSlots()
            _ = slots.opened(key, sequence: 1, at: .seconds(0))
            #expect(slots.admitted(key, sequence: 1, others: others, limit: limit) == 1)
            slots.closed(key, at: .seconds(1))
            #expect(slots.deadline == .seconds(1.1))
            _ = slots.opened(key, sequence: 2, at: .seconds(1.09))
            #expect(slots.deadline == .seconds(5))
            slots.closed(key, at: .seconds(2))
            #expect(writes(&slots, 3, at: 2.099).isEmpty)
            #expect(writes(&slots, 4, at: 2.1) == [0])
        }
    }

    @Test func anEndThatAnotherReplicaMayWaitForIsWrittenSoon() {
        for (others, limit) in [(0, 1), (0, 3), (1, 4), (5, 12), (12, 12)] {
            var slots = ReplicaSlots()
            _ = slots.opened(key, sequence: 1, at: .seconds(0))
            #expect(slots.admitted(key, sequence: 1, others: others, limit: limit) == 1)
            slots.closed(key, at: .seconds(1))
            #expect(slots.deadline == .seconds(1))
        }
    }

    @Test func anEndThatMayWaitIsWrittenWithOneThatMayNot() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: 1, at: .seconds(0))
        #expect(slots.admitted(key, sequence: 1, others: 0, limit: 4) == 1)
        _ = slots.opened(other, sequence: 2, at: .seconds(0))
        slots.closed(key, at: .seconds(1))
        slots.closed(other, at: .seconds(1.01))
        #expect(slots.deadline == .seconds(1.01))
        #expect(writes(&slots, 3, at: 1.01) == [0, 0])
    }

    @Test func whatWaitsIsWrittenSoonWhenTheStoreMayHaveLostEverything() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: 1, at: .seconds(0))
        #expect(slots.admitted(key, sequence: 1, others: 0, limit: 4) == 1)
        slots.closed(key, at: .seconds(1))
        slots.allUnknown(at: .seconds(1.05))
        #expect(slots.deadline == .seconds(1.05))
        #expect(writes(&slots, 2, at: 1.05) == [0])
    }

    @Test func afterARefusalAnEndIsWrittenSoon() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: 1, at: .seconds(0))
        #expect(slots.admitted(key, sequence: 1, others: 0, limit: 100) == 1)
        _ = slots.opened(key, sequence: 2, at: .seconds(1))
        slots.refused(key, sequence: 2, at: .seconds(1))
        slots.closed(key, at: .seconds(2))
        #expect(slots.deadline == .seconds(2))
    }

    @Test func whenTheStoreMayHaveLostEverythingAllIsWritten() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: 1, at: .seconds(0))
        _ = slots.opened(other, sequence: 2, at: .seconds(0))
        slots.allUnknown(at: .seconds(0))
        #expect(writes(&slots, 3, at: 1) == [1, 1])
    }

    @Test func withoutTheStoreOnlyOpenStreamsAreKept() {
        var slots = ReplicaSlots()
        slots.storeLost(at: .seconds(0))
        for number in 0..<100 {
            let key = StoreKey(.streams, route: "\(number)")
            for _ in 0..<2 { _ = slots.opened(key, sequence: nil, at: .seconds(0)) }
            for _ in 0..<(number == 7 ? 1 : 2) { slots.closed(key, at: .seconds(0)) }
        }
        #expect(slots.knownKeys == 1 && slots.deadline == nil)
        slots.allUnknown(at: .seconds(1))
        #expect(writes(&slots, 1, at: 1) == [1])
        #expect(slots.deadline == .seconds(6))
    }

    @Test func whatTheStoreMayHaveIsWrittenWhenItIsBack() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: 1, at: .seconds(0))
        slots.storeLost(at: .seconds(1))
        slots.closed(key, at: .seconds(1))
        #expect(slots.deadline == nil)
        slots.expire(at: .seconds(15.9))
        slots.allUnknown(at: .seconds(15.9))
        #expect(writes(&slots, 2, at: 15.9) == [0])
        #expect(writes(&slots, 3, at: 20.9).isEmpty)
        #expect(slots.knownKeys == 0 && slots.deadline == nil)
    }

    @Test func whatTheStoreHasRemovedIsForgotten() {
        var slots = ReplicaSlots()
        _ = slots.opened(key, sequence: 1, at: .seconds(0))
        _ = slots.opened(other, sequence: 2, at: .seconds(0))
        slots.storeLost(at: .seconds(1))
        slots.closed(key, at: .seconds(1))
        slots.storeLost(at: .seconds(9))
        slots.expire(at: .seconds(16))
        #expect(slots.knownKeys == 1)
        slots.closed(other, at: .seconds(16))
        #expect(slots.knownKeys == 0)
    }

    @Test func noMoreThanTheGivenNumberIsWrittenAtOnceAndNoneIsForgotten() {
        var slots = ReplicaSlots()
        for number in 0..<10 {
            _ = slots.opened(StoreKey(.streams, route: "\(number)"), sequence: nil, at: .seconds(0))
        }
        var written = 0
        for _ in 0..<4 { written += slots.takeWrites(upTo: 3, sequence: 1, at: .seconds(1)).count }
        #expect(written == 10)
    }

    /// Against a model: after each write, the store has the counts of all keys.
    @Test(arguments: 0..<50) func theStoreHasTheCounts(seed: Int) {
        var random = SeededGenerator(seed: seed), slots = ReplicaSlots()
        var store: [StoreKey: Int] = [:], truth: [StoreKey: Int] = [:]
        let keys = (0..<5).map { StoreKey(.streams, route: "\($0)") }
        var sequence: Int64 = 0
        for step in 0..<400 {
            let now = Instant.seconds(Double(step) * 0.05)
            guard let key = keys.randomElement(using: &random) else { continue }
            sequence += 1
            if truth[key, default: 0] > 0, Bool.random(using: &random) {
                truth[key, default: 0] -= 1
                slots.closed(key, at: now)
            }
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                truth[key, default: 0] += 1
                store[key] = slots.opened(key, sequence: sequence, at: now)
                _ = slots.admitted(key, sequence: sequence, others: 0, limit: 1)
            case 1:
                _ = slots.opened(key, sequence: sequence, at: now)
                slots.refused(key, sequence: sequence, at: now)
            case 2 where truth[key, default: 0] > 0:
                truth[key, default: 0] -= 1
                slots.closed(key, at: now)
            default: break
            }
            for write in slots.takeWrites(upTo: 64, sequence: sequence + 1, at: now) {
                store[write.key] = write.streams
            }
            sequence += 1
            for key in keys { #expect(store[key, default: 0] == truth[key, default: 0]) }
        }
    }
}
