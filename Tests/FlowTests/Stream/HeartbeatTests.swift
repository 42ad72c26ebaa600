import Flow
import TestSupport
import Testing

@Suite struct HeartbeatTests {
    private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: Int64(seconds) * 1_000_000_000) }

    /// One that `#expect` can change.
    private final class Tap {
        var heartbeat: Heartbeat

        init(at now: Instant) { heartbeat = Heartbeat(every: .seconds(5), at: now) }

        var due: Instant { heartbeat.due }
        func fired(at now: Instant, isReady: Bool = true) -> Bool { heartbeat.timerFired(at: now, isReady: isReady) }
        func body(_ text: String) -> String {
            Array(text.utf8).withUnsafeBytes { String(decoding: heartbeat.body($0), as: UTF8.self) }
        }
    }

    @Test func comesOnceForEachIntervalOfQuiet() {
        let tap = Tap(at: at(0))
        #expect(tap.due == at(5))
        #expect(tap.fired(at: at(5)))
        #expect(tap.due == at(10))
        #expect(tap.fired(at: at(11)))
        #expect(tap.due == at(16))
    }

    @Test func whatLeavesPutsItOff() {
        let tap = Tap(at: at(0))
        tap.heartbeat.sent(at: at(3))
        #expect(!tap.fired(at: at(5)))
        #expect(tap.due == at(8))
        #expect(tap.fired(at: at(8)))
    }

    @Test func aClientThatLagsGetsNone() {
        let tap = Tap(at: at(0))
        #expect(!tap.fired(at: at(5), isReady: false))
        #expect(tap.due == at(10))
        #expect(tap.fired(at: at(10)))
    }

    @Test func aByteOrderMarkIsRemovedUnlessItIsTheFirst() {
        let marked = "\u{FEFF}data: a\n\n"
        let tap = Tap(at: at(0))
        #expect(tap.body(marked) == marked)
        #expect(tap.fired(at: at(5)))
        #expect(tap.body(marked) == "data: a\n\n")
        tap.heartbeat.sent(at: at(6))
        #expect(tap.fired(at: at(11)))
        #expect(tap.body(marked) == marked)
        tap.heartbeat.attached(at: at(12))
        #expect(tap.due == at(17))
        #expect(tap.fired(at: at(17)))
        #expect(tap.body(marked) == "data: a\n\n")
    }

    @Test func isIgnoredByReadersOfEvents() throws {
        let comment = Array("\(try #require(RecordFormat.sse.heartbeat))".utf8)
        #expect(EventReader("data: a\n\n".utf8 + comment + "data: b\n\n".utf8).events == ["a", "b"])
    }

    @Test(arguments: RecordFormat.allCases) func isNoRecord(format: RecordFormat) throws {
        guard let heartbeat = format.heartbeat else { return }
        try withOwnMemory(of: "\(heartbeat)".utf8) { bytes in
            let run = try format.framer.run(in: bytes, maximum: .kibibytes(1))
            #expect(run == .init(records: 0, bytes: bytes.count))
        }
    }
}
