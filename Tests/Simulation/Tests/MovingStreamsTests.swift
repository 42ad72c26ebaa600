import Simulation
import Testing

@Suite struct MovingStreamsTests {
    /// While its streams move often, a client gets its rate over a minute within one per cent, and never more.
    @Test(arguments: [(20, 1), (20, 5), (50, 20), (100, 5), (1000, 5)])
    func theRateIsUsedWhileStreamsMove(perSecond: Int, every: Int) {
        let result = MovingStreams.run(perSecond: perSecond, every: .seconds(every), seed: every)
        #expect(abs(result.part - 1) < 0.01)
        #expect(!result.isAboveRate)
    }

    @Test func aSlowRateIsUsedButForItsNextRecord() {
        let result = MovingStreams.run(perSecond: 1, every: .seconds(5), seed: 1)
        #expect(abs(result.part - 1) < 0.01 + 1.0 / 60)
        #expect(!result.isAboveRate)
    }
}
