import Flow
import Testing

@testable import Observability

@Suite struct CaseCountsTests {
    @Test func aCaseThatWasNotCountedIsZero() {
        var counts = CaseCounts<Outcome>()
        #expect(counts[.completed] == 0 && counts.total == 0)
        counts[.completed] += 2
        counts[.drained] += 1
        #expect(counts[.completed] == 2 && counts[.cancelled] == 0 && counts.total == 3)
    }

    @Test func theOrderOfCountingMakesNoDifference() {
        var first = CaseCounts<Outcome>(), second = CaseCounts<Outcome>()
        first[.completed] = 1
        first[.refused] = 2
        second[.refused] = 2
        #expect(first != second)
        second[.completed] = 1
        #expect(first == second)
        second += first
        #expect(second[.completed] == 2 && second[.refused] == 4 && first != second)
    }
}
