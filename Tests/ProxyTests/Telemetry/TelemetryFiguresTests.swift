import Testing

@testable import Proxy

@Suite struct TelemetryFiguresTests {
    @Test func noReceiverOverflowsACount() {
        var figures = TelemetryFigures()
        figures.rejected(dataPoints: 3)
        #expect(figures.rejectedDataPoints == 3)
        for _ in 0..<2 { figures.rejected(dataPoints: .max) }
        #expect(figures.rejectedDataPoints == .max)
    }
}
