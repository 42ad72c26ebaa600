import Flow
import Testing

@Suite struct OverflowTests {
    @Test func pauseAndDisconnectLoseNoRecord() {
        #expect(Overflow.allCases.filter(\.drops) == [.dropOldest, .dropNewest, .latest])
    }
}
