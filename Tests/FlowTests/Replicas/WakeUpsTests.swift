import Flow
import TestSupport
import Testing

@Suite struct WakeUpsTests {
    @Test func anEarlierDeadlineNeedsAWakeUpAndALaterOneNone() {
        var wakeUps = WakeUps()
        let needed = [5, 7, 1, 1, 5].map { wakeUps.needs(.seconds($0)) }
        #expect(needed == [true, false, true, false, false])
        #expect(wakeUps.count == 2)
    }

    @Test func aDeadlineThatReturnsHasItsWakeUp() {
        var wakeUps = WakeUps()
        for second in [5, 1] { _ = wakeUps.needs(.seconds(Double(second))) }
        wakeUps.fired(at: .seconds(1))
        #expect(wakeUps.count == 1)
        let needed = [5, 4].map { wakeUps.needs(.seconds($0)) }
        #expect(needed == [false, true])
        wakeUps.fired(at: .seconds(6))
        #expect(wakeUps.count == 0)
    }

    @Test func aWakeUpThatFiresTooEarlyRemainsNoted() {
        var wakeUps = WakeUps()
        _ = wakeUps.needs(.seconds(2))
        wakeUps.fired(at: .seconds(1))
        #expect(wakeUps.count == 1)
    }
}
