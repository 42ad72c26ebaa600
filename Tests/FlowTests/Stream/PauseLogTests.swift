import Flow
import Testing

@Suite struct PauseLogTests {
    private var log = PauseLog()

    private func instant(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    private func pause(
        _ cause: PauseLog.Cause, _ began: Int64, _ seconds: Int64, isRunning: Bool = false
    ) -> PauseLog.Pause {
        PauseLog.Pause(cause: cause, began: instant(began), lasted: .seconds(seconds), isRunning: isRunning)
    }

    @Test mutating func aStreamThatNeverWaitedHasNoPause() {
        log.changed(to: nil, at: instant(1))
        #expect(log.pauses(at: instant(2)) == [])
    }

    @Test mutating func aPauseThatRunsLastsUntilNow() {
        log.changed(to: .pace, at: instant(1))
        #expect(log.pauses(at: instant(4)) == [pause(.pace, 1, 3, isRunning: true)])
        log.changed(to: nil, at: instant(6))
        #expect(log.pauses(at: instant(9)) == [pause(.pace, 1, 5)])
    }

    @Test mutating func aRepeatedReportIsOnePause() {
        log.changed(to: .client, at: instant(1))
        log.changed(to: .client, at: instant(2))
        log.changed(to: nil, at: instant(3))
        log.changed(to: nil, at: instant(4))
        #expect(log.pauses(at: instant(5)) == [pause(.client, 1, 2)])
    }

    @Test mutating func anotherCauseBeginsWhereTheFirstEnds() {
        log.changed(to: .pace, at: instant(1))
        log.changed(to: .client, at: instant(3))
        log.changed(to: .detached, at: instant(7))
        #expect(
            log.pauses(at: instant(8)) == [
                pause(.pace, 1, 2), pause(.client, 3, 4), pause(.detached, 7, 1, isRunning: true),
            ])
    }

    @Test mutating func aClientThatTakesALittleIsStillWaitedFor() {
        log.changed(to: .client, at: instant(1))
        log.changed(to: .pace, at: instant(2))
        log.changed(to: .client, at: instant(3))
        log.changed(to: .pace, at: instant(4))
        log.changed(to: nil, at: instant(5))
        #expect(log.pauses(at: instant(6)) == [pause(.client, 1, 4)])
        log.changed(to: .pace, at: instant(7))
        #expect(log.pauses(at: instant(8)).last == pause(.pace, 7, 1, isRunning: true))
    }

    @Test mutating func whatTookNoTimeIsNoPause() {
        log.changed(to: .pace, at: instant(1))
        log.changed(to: .feedback, at: instant(1))
        log.changed(to: nil, at: instant(1))
        #expect(log.pauses(at: instant(2)) == [])
    }

    @Test mutating func anImperceptibleGapIsNone() {
        log.changed(to: .pace, at: instant(1))
        log.changed(to: nil, at: instant(2))
        log.changed(to: .pace, at: instant(2) + .microseconds(999))
        #expect(log.pauses(at: instant(3)) == [pause(.pace, 1, 2, isRunning: true)])
        log.changed(to: nil, at: instant(3))
        log.changed(to: .pace, at: instant(3) + PauseLog.shortestGap)
        #expect(log.pauses(at: instant(4)).map(\.isRunning) == [false, true])
    }

    @Test mutating func aPauseForAnotherReasonIsAnotherHoweverShortTheGap() {
        log.changed(to: .client, at: instant(1))
        log.changed(to: nil, at: instant(2))
        log.changed(to: .pace, at: instant(2))
        #expect(log.pauses(at: instant(3)) == [pause(.client, 1, 1), pause(.pace, 2, 1, isRunning: true)])
    }

    @Test mutating func theOldestMakeRoom() {
        for second in 0..<Int64(3 * PauseLog.most + 7) {
            log.changed(to: .pace, at: instant(2 * second))
            log.changed(to: nil, at: instant(2 * second + 1))
        }
        let pauses = log.pauses(at: instant(10_000))
        #expect(pauses.count == PauseLog.most)
        let first = Int64(2 * PauseLog.most + 7)
        #expect(pauses == (first..<first + Int64(PauseLog.most)).map { pause(.pace, 2 * $0, 1) })
    }

    @Test mutating func aPauseIsReportedWithinAShareOfItsLength() {
        log.changed(to: .pace, at: .init(nanoseconds: 5))
        log.changed(to: nil, at: .init(nanoseconds: 5 + 1_500))
        log.changed(to: .client, at: instant(1))
        log.changed(to: nil, at: instant(1 + 30 * 86_400))
        let pauses = log.pauses(at: instant(30_000_000))
        #expect(abs((pauses[0].lasted - .nanoseconds(1_500)).nanoseconds) <= 1)
        #expect(abs((pauses[1].lasted - .seconds(30 * 86_400)).nanoseconds) < 300_000_000)
    }
}
