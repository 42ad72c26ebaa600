import Observability
import Testing

@Suite struct ReadinessTests {
    @Test func startsThenIsReadyThenDrains() {
        let readiness = Readiness()
        #expect(readiness.state == .starting)
        readiness.becameReady()
        #expect(readiness.state == .ready)
        #expect(readiness.beganDraining())
        #expect(readiness.state == .draining)
    }

    @Test func doesNotComeBackFromDraining() {
        let readiness = Readiness()
        #expect(readiness.beganDraining())
        readiness.becameReady()
        #expect(readiness.state == .draining)
    }

    @Test func reportsTheSecondCallToStop() {
        let readiness = Readiness()
        #expect(readiness.beganDraining())
        #expect(!readiness.beganDraining())
    }
}
