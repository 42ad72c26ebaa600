import Flow
import Testing

@Suite struct OverflowTests {
    @Test func whoWaitsOrEndsLosesNothingOnTheWay() {
        #expect(Overflow.allCases.filter(\.drops) == [.dropOldest, .dropNewest, .latest])
    }
}
