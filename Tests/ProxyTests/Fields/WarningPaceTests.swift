import Flow
import Testing

@testable import Proxy

@Suite struct WarningPaceTests {
    @Test func letsOneThroughInATime() {
        let pace = WarningPace(every: .seconds(60))
        let start = Instant(nanoseconds: 5)
        #expect(pace.isDue(at: start))
        #expect(!pace.isDue(at: start + .seconds(59)))
        #expect(pace.isDue(at: start + .seconds(60)))
        #expect(!pace.isDue(at: start + .seconds(61)))
    }
}
