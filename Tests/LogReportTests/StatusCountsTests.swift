import Testing

@testable import LogReport

@Suite struct StatusCountsTests {
    @Test func countsEachCodeInAscendingOrder() {
        var counts = StatusCounts()
        for code in [200, 503, 200, 101, 429] { counts.add(code) }
        #expect(counts.counts.map(\.code) == [101, 200, 429, 503])
        #expect(counts[200] == 2 && counts[503] == 1 && counts[404] == 0)
    }

    @Test(arguments: [0, 99, 1000, -1, .max])
    func aNumberThatIsNoCodeIsNotCounted(code: Int) {
        var counts = StatusCounts()
        counts.add(code)
        #expect(counts.counts.isEmpty)
    }

    @Test func theSumHasTheCodesOfBoth() {
        var sum = StatusCounts(), other = StatusCounts()
        for code in [200, 404] { sum.add(code) }
        for code in [200, 502] { other.add(code) }
        sum.add(other)
        #expect(sum.counts.map(\.code) == [200, 404, 502])
        #expect(sum.counts.map(\.count) == [2, 1, 1])
    }
}
