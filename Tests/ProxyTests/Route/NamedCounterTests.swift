import Testing

@testable import Proxy

@Suite struct NamedCounterTests {
    @Test func boundsAllConnectionsTogether() {
        let budget = NamedCounter(maximum: 2, perName: nil)
        #expect(budget.enter("a") && budget.enter("b"))
        #expect(!budget.enter("c"))
        budget.removed("a")
        #expect(budget.enter("c"))
    }

    @Test func boundsTheConnectionsOfEachAddress() {
        let budget = NamedCounter(maximum: 100, perName: 2)
        #expect(budget.enter("a") && budget.enter("a"))
        #expect(!budget.enter("a"))
        #expect(budget.enter("b"))
        budget.removed("a")
        #expect(budget.enter("a"))
    }

    @Test func aRefusedConnectionCountsForNothing() {
        let budget = NamedCounter(maximum: 2, perName: 1)
        #expect(budget.enter("a"))
        for _ in 0..<10 { #expect(!budget.enter("a")) }
        #expect(budget.enter("b"))
        for _ in 0..<10 { #expect(!budget.enter("c")) }
        budget.removed("b")
        #expect(budget.enter("c"))
    }

    @Test func thePeersOfAUnixSocketHaveNoAddressToCountBy() {
        let budget = NamedCounter(maximum: 5, perName: 1, sparesUnnamed: true)
        for _ in 0..<5 { #expect(budget.enter("")) }
        #expect(!budget.enter(""))
    }

    @Test func elsewhereTheEmptyNameIsOneLikeAnyOther() {
        let budget = NamedCounter(perName: 1)
        #expect(budget.enter(""))
        #expect(!budget.enter(""))
    }

    /// Many threads enter and leave; afterwards the whole limit is free again.
    @Test func countsReturnToZero() async {
        let budget = NamedCounter(maximum: 50, perName: 10)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<1000 {
                        let address = "\((task + round) % 7)"
                        if budget.enter(address) { budget.removed(address) }
                    }
                }
            }
        }
        let entered = (0..<10).map { address in (0..<10).count { _ in budget.enter("\(address)") } }
        #expect(entered == [10, 10, 10, 10, 10, 0, 0, 0, 0, 0])
    }
}
