import Flow
import TestSupport
import Testing

@Suite struct IdleTableTests {
    /// Idle from an instant on.
    private struct Until: Idling, Equatable {
        var end: Instant

        func isIdle(at now: Instant) -> Bool { now >= end }
    }

    @Test func aClientKeepsItsValue() throws {
        var table = IdleTable<ClientKey, Until>()
        let ann = table.append(Until(end: .seconds(1)), for: ClientKey("ann"))
        let ben = table.append(Until(end: .seconds(2)), for: ClientKey("ben"))
        table[ben].end = .seconds(3)
        #expect(table.index(of: ClientKey("ann")) == ann)
        #expect(table[ann].end == .seconds(1))
        #expect(table[try #require(table.index(of: ClientKey("ben")))].end == .seconds(3))
        #expect(table.index(of: ClientKey("cat")) == nil)
    }

    @Test func idleEntriesAreRemovedAndTheLastMovesToTheFreeSlot() throws {
        var table = IdleTable<ClientKey, Until>()
        for number in 0..<4 {
            _ = table.append(Until(end: .seconds(number == 1 ? 1 : 10)), for: ClientKey("\(number)"))
        }
        table.sweep(at: .seconds(1))
        #expect(table.count == 3)
        #expect(table.index(of: ClientKey("1")) == nil)
        #expect(table.index(of: ClientKey("3")) == 1)
        #expect(table[1].end == .seconds(10))
    }

    @Test func aSweepLooksAtFourClientsAndNoMore() {
        var table = IdleTable<ClientKey, Until>()
        for number in 0..<10 { _ = table.append(Until(end: .seconds(0)), for: ClientKey("\(number)")) }
        table.sweep(at: .seconds(0))
        #expect(table.count == 6)
        table.sweep(at: .seconds(0))
        table.sweep(at: .seconds(0))
        #expect(table.count == 0)
        table.sweep(at: .seconds(0))
    }

    @Test func aChangeReachesEveryValue() {
        var table = IdleTable<ClientKey, Until>()
        for number in 0..<10 { _ = table.append(Until(end: .seconds(0)), for: ClientKey("\(number)")) }
        table.updateAll { $0.end = .seconds(7) }
        #expect(table.values.allSatisfy { $0.end == .seconds(7) })
    }

    @Test(arguments: 0..<50) func agreesWithADictionaryThatKeepsUsedEntries(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var table = IdleTable<ClientKey, Until>(), model: [ClientKey: Instant] = [:]
        var now = 0.0
        for _ in 0..<500 {
            now += Double.random(in: 0...1, using: &random)
            let key = ClientKey("\(Int.random(in: 0..<60, using: &random))")
            let end = Instant.seconds(now + Double.random(in: 0...20, using: &random))
            table.sweep(at: .seconds(now))
            if let index = table.index(of: key) {
                table[index].end = end
            } else {
                _ = table.append(Until(end: end), for: key)
            }
            model[key] = end
            let wanted = model.filter { $0.value > .seconds(now) }
            for (key, end) in wanted { #expect(table.index(of: key).map { table[$0].end } == end) }
            #expect(table.count >= wanted.count)
            #expect(table.values.count { $0.end > .seconds(now) } == wanted.count)
        }
    }

    @Test func aMillionDifferentClientsLeaveFewEntries() {
        var table = IdleTable<ClientKey, Until>()
        var most = 0
        for number in 0..<1_000_000 {
            let now = Instant(nanoseconds: Int64(number) * 1_000_000)
            table.sweep(at: now)
            _ = table.append(Until(end: now + .milliseconds(100)), for: ClientKey("client-\(number)"))
            most = max(most, table.count)
        }
        #expect((100...200).contains(most))
    }
}
