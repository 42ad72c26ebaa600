import Downstream
import Flow
import NIOHTTP1
import Settings
import TestSupport
import Testing
import Upstream

@testable import Proxy

@Suite struct PullTests {
    @Test func allReadersShareOneTransfer() throws {
        let bench = PullBench()
        let readers = try (0..<3).map { _ in try bench.reader() }
        bench.transfers[0].head()
        bench.transfers[0].lines(1...2)
        readers[0].transfer?.cancel()
        bench.transfers[0].lines(3...3)
        bench.transfers[0].end()
        #expect(bench.transfers.count == 1)
        #expect(readers.map(\.lines) == [[1, 2], [1, 2, 3], [1, 2, 3]])
        #expect(readers.map(\.end) == [nil, .complete, .complete])
        #expect(readers[1].upstream == "http://origin0:9000")
        #expect(bench.heldBytes == 0)
    }

    @Test func operatorsSeeThePullAndItsReaders() throws {
        let bench = PullBench()
        let (slow, _) = (try bench.reader(target: "/a?secret"), try bench.reader(target: "/a?secret"))
        bench.transfers[0].head()
        slow.transfer?.pause()
        bench.transfers[0].lines(1...3)
        bench.advance(by: .seconds(2))
        let summary = try #require(bench.pulls.summaries(at: bench.now()).summaries.first)
        #expect(summary.path == "/a" && summary.upstream == "http://origin0:9000")
        #expect(summary.readers == 2 && summary.lag == 3 && summary.records == 3)
        #expect(summary.bytes == bench.heldBytes && summary.bytes > 0)
        #expect(!summary.isPaused && summary.lasted == .seconds(2))
        bench.transfers[0].end()
        #expect(bench.pulls.summaries(at: bench.now()).summaries.isEmpty)
    }

    @Test func anotherTargetHasAnotherTransfer() throws {
        let bench = PullBench { $1.maxPulls = 2 }
        _ = try bench.reader(target: "/a")
        _ = try bench.reader(target: "/b")
        #expect(bench.transfers.count == 2)
        #expect(throws: JoinError.self) { _ = try bench.reader(target: "/c") }
        _ = try bench.reader(target: "/a")
        #expect(bench.transfers.count == 2)
    }

    @Test func aPausedReaderContinuesWhereItWas() throws {
        let bench = PullBench()
        let (slow, fast) = (try bench.reader(), try bench.reader())
        bench.transfers[0].head()
        slow.transfer?.pause()
        bench.transfers[0].lines(1...3)
        #expect(slow.lines == [])
        slow.transfer?.resume()
        #expect(slow.lines == [])  // not before `resume()` returned
        bench.run()
        #expect(slow.lines == [1, 2, 3])
        #expect(fast.lines == [1, 2, 3])
    }

    @Test func whatArrivesInOneTurnIsOnePiece() throws {
        let bench = PullBench()
        let reader = try bench.reader()
        bench.transfers[0].head()
        for line in 1...3 { bench.transfers[0].linesWithinTurn(line...line) }
        #expect(reader.lines == [])
        bench.pulls.turnEnds()
        #expect(reader.lines == [1, 2, 3])
        #expect(reader.pieces == 1)
        // The end of the upstream does not wait for the end of the turn.
        bench.transfers[0].linesWithinTurn(4...4)
        bench.transfers[0].end(.failed(.reset("x")))
        #expect(reader.lines == [1, 2, 3, 4])
        #expect(reader.end == .failed(.reset("x")))
    }

    @Test func whatArrivesInATurnIsBounded() throws {
        let bench = PullBench()
        let reader = try bench.reader()
        bench.transfers[0].head()
        bench.transfers[0].linesWithinTurn(1...20_000)
        #expect(reader.lines.count == 20_000)
    }

    @Test func aReaderThatIsBehindGetsTheRestAfterTheEnd() throws {
        let bench = PullBench()
        let reader = try bench.reader()
        bench.transfers[0].head()
        reader.transfer?.pause()
        bench.transfers[0].lines(1...3)
        bench.transfers[0].end(.failed(.reset("x")))
        #expect(reader.end == nil)
        // None joins it any more.
        _ = try bench.reader()
        #expect(bench.transfers.count == 2)
        reader.transfer?.resume()
        bench.run()
        #expect(reader.lines == [1, 2, 3])
        #expect(reader.end == .failed(.reset("x")))
    }

    @Test func waitersAreReleasedTogetherAndTheKeyIsMarked() throws {
        let bench = PullBench()
        let readers = try (0..<3).map { _ in try bench.reader() }
        bench.transfers[0].head(200, ["Content-Type": "application/x-ndjson", "Set-Cookie": "a=b"])
        #expect(readers.allSatisfy { $0.refusal == .setCookie && $0.status == nil })
        #expect(bench.transfers[0].isCancelled)
        #expect(throws: JoinError.self) { _ = try bench.reader() }
        bench.advance(by: .seconds(10))
        _ = try bench.reader()
        #expect(bench.transfers.count == 2)
    }

    @Test func theUpstreamIsLeftAfterTheLinger() throws {
        let bench = PullBench { $1.linger = .seconds(5) }
        let first = try bench.reader()
        bench.transfers[0].head()
        first.transfer?.cancel()
        bench.advance(by: .seconds(4))
        let second = try bench.reader()
        bench.advance(by: .seconds(4))
        #expect(!bench.transfers[0].isCancelled)
        second.transfer?.cancel()
        bench.advance(by: .seconds(6))
        #expect(bench.transfers[0].isCancelled)
        #expect(bench.heldBytes == 0)
        _ = try bench.reader()
        #expect(bench.transfers.count == 2)
    }

    @Test func anotherUpstreamIsTriedOnceForAll() throws {
        let bench = PullBench(upstreams: 2)
        let readers = [try bench.reader(), try bench.reader()]
        bench.transfers[0].end(.failed(.unreachable("x")))
        #expect(bench.transfers.count == 2)
        bench.transfers[1].end(.failed(.unreachable("y")))
        #expect(readers.map(\.end) == [.failed(.unreachable("y")), .failed(.unreachable("y"))])
        #expect(bench.retries == 1)
    }

    @Test func aGapIsReportedAfterTheRecordsBeforeIt() throws {
        let bench = PullBench { $1.retention = Retention(records: 2) }
        let (slow, fast) = (try bench.reader(), try bench.reader())
        bench.transfers[0].head()
        bench.transfers[0].lines(1...1)
        slow.transfer?.pause()
        for line in 2...6 { bench.transfers[0].lines(line...line) }
        slow.transfer?.resume()
        bench.run()
        #expect(slow.lines == [1, 5, 6])
        #expect(slow.losses == [[3, 1]])
        #expect(fast.lines == [1, 2, 3, 4, 5, 6])
        #expect(!bench.transfers[0].isPaused)
    }

    @Test func aReaderThatLagsEnds() throws {
        let bench = PullBench {
            $1.retention = Retention(records: 2)
            $1.lag = .end
        }
        let (slow, fast) = (try bench.reader(), try bench.reader())
        bench.transfers[0].head()
        slow.transfer?.pause()
        for line in 1...6 { bench.transfers[0].lines(line...line) }
        slow.transfer?.resume()
        bench.run()
        #expect(slow.hasLagged && slow.lines.isEmpty)
        #expect(fast.lines.count == 6)
    }

    @Test(arguments: [Lag.wait, .gap]) func thePullWaitsForItsReaders(_ lag: Lag) throws {
        let bench = PullBench {
            $1.retention = Retention(records: 2)
            $1.lag = lag
        }
        let (slow, fast) = (try bench.reader(), try bench.reader())
        bench.transfers[0].head()
        slow.transfer?.pause()
        bench.transfers[0].lines(1...1)
        bench.transfers[0].lines(2...2)
        // Under `wait` one reader is enough, else all of them are needed.
        #expect(bench.transfers[0].isPaused == (lag == .wait))
        fast.transfer?.pause()
        bench.transfers[0].lines(3...3)
        bench.transfers[0].lines(4...4)
        #expect(bench.transfers[0].isPaused)
        if lag == .wait { slow.transfer?.resume() } else { fast.transfer?.resume() }
        fast.transfer?.resume()
        bench.run()
        #expect(!bench.transfers[0].isPaused)
        #expect(fast.lines == [1, 2, 3, 4])
        if lag == .wait { #expect(slow.lines == [1, 2, 3, 4]) }
    }

    @Test func aReaderThatPausesWithinAPieceGetsNoOther() throws {
        let bench = PullBench()
        let (reader, other) = (try bench.reader(), try bench.reader())
        reader.pausesItself = true
        bench.transfers[0].head()
        bench.transfers[0].lines(1...1)
        bench.transfers[0].lines(2...2)
        #expect(reader.lines == [1])
        #expect(other.lines == [1, 2])
    }

    @Test func aReaderGetsNoMoreThanItHasRoomFor() throws {
        let bench = PullBench()
        let reader = try bench.reader()
        reader.pausesItself = true
        reader.recordRoom = 2
        bench.transfers[0].head()
        bench.transfers[0].lines(1...5)
        #expect(reader.lines == [1, 2])
        for _ in 0..<2 {
            reader.transfer?.resume()
            bench.run()
        }
        #expect(reader.lines == [1, 2, 3, 4, 5])
    }

    @Test func aClientContinuesFromWhatIsRetained() throws {
        let bench = PullBench { $1.retention = Retention(records: 3) }
        let (staying, leaving) = (try bench.reader(), try bench.reader())
        bench.transfers[0].head()
        bench.transfers[0].lines(1...3)
        leaving.transfer?.cancel()
        bench.transfers[0].lines(4...5)
        let back = try bench.reader(at: .resumed(ResumeRequest(stream: leaving.id, received: 3)))
        #expect(back.lines == [4, 5])
        let late = try bench.reader(at: .resumed(ResumeRequest(stream: leaving.id, received: 1)))
        #expect(late.isGone && late.status == nil)
        let unknown = try bench.reader(at: .resumed(ResumeRequest(stream: staying.id, received: 1)))
        #expect(unknown.isGone)
        #expect(staying.lines == [1, 2, 3, 4, 5])
    }

    @Test func aRecordThatIsTooLongEndsAllReaders() throws {
        let bench = PullBench { route, _ in route.policy.maximumRecordBytes = ByteCount(4) }
        let reader = try bench.reader()
        bench.transfers[0].head()
        bench.transfers[0].lines(1...1)
        bench.transfers[0].lines(10_000_000...10_000_000)
        #expect(reader.lines == [1])
        #expect(bench.transfers[0].isCancelled)
        guard case .failed(.malformed) = reader.end else {
            Issue.record("ended with \(String(describing: reader.end))")
            return
        }
    }

    @Test func withoutMemoryNothingIsRetained() throws {
        let bench = PullBench()
        _ = try bench.reader()
        bench.transfers[0].head()
        bench.transfers[0].lines(1...100)
        #expect(bench.heldBytes > 200)
        bench.isMemoryExceeded = true
        bench.transfers[0].lines(101...101)
        #expect(bench.heldBytes == 0)
    }

    // MARK: A silent upstream

    @Test func anUpstreamThatDoesNotAnswerIsReplacedOnceForAll() throws {
        let bench = PullBench(upstreams: 2) { route, _ in route.timeouts.firstByte = .seconds(3) }
        let first = try bench.reader()
        bench.advance(seconds: 2)
        let second = try bench.reader()
        #expect(bench.transfers.count == 1)
        bench.advance(seconds: 1)
        #expect(bench.transfers.count == 2 && bench.transfers[0].isCancelled)
        bench.transfers[1].head()
        bench.transfers[1].lines(1...1)
        #expect(first.lines == [1] && second.lines == [1])
        #expect(bench.retries == 1)
    }

    @Test func clientsThatKeepComingDoNotKeepASilentUpstream() throws {
        let bench = PullBench { route, _ in
            route.timeouts.firstByte = .seconds(3)
            route.upstreamBreaker = .upstream
            route.upstreamBreaker?.failures = 1
        }
        var readers: [FakeReader] = []
        for _ in 0..<3 {
            readers.append(try bench.reader())
            bench.advance(seconds: 1)
        }
        let end = TransferEnd.failed(.silent(.firstByte, "no response in 3s (timeouts.first_byte)"))
        #expect(readers.allSatisfy { $0.end == end })
        #expect(bench.transfers[0].isCancelled)
        #expect(bench.route.gate.breakerFigures(of: "/", at: bench.now()).upstreams == [.open])
        // The next one would not join it.
        #expect(throws: JoinError.self) { _ = try bench.reader() }
        #expect(bench.transfers.count == 1)
    }

    @Test func anUpstreamThatFallsSilentEndsForAllAndTheNextClientBeginsAnew() throws {
        let bench = PullBench { route, sharing in
            route.timeouts.idle = .seconds(3)
            sharing.linger = .seconds(60)
        }
        let first = try bench.reader()
        bench.transfers[0].head()
        bench.advance(seconds: 2)
        bench.transfers[0].lines(1...1)
        first.transfer?.cancel()
        bench.advance(seconds: 2)
        let second = try bench.reader()
        bench.advance(seconds: 1)
        #expect(second.end == .failed(.silent(.idle, "no bytes for 3s (timeouts.idle)")))
        #expect(bench.transfers[0].isCancelled && bench.heldBytes == 0)
        _ = try bench.reader()
        #expect(bench.transfers.count == 2)
    }

    @Test func anUpstreamThatWaitsForReadersIsNotSilent() throws {
        let bench = PullBench { route, sharing in
            route.timeouts.idle = .seconds(3)
            sharing.retention = Retention(records: 2)
        }
        let reader = try bench.reader()
        bench.transfers[0].head()
        reader.transfer?.pause()
        bench.transfers[0].lines(1...2)
        #expect(bench.transfers[0].isPaused)
        bench.advance(seconds: 30)
        #expect(reader.end == nil && !bench.transfers[0].isCancelled)
        reader.transfer?.resume()
        bench.run()
        bench.advance(seconds: 2)
        #expect(reader.lines == [1, 2] && reader.end == nil)
        bench.advance(seconds: 1)
        #expect(reader.end == .failed(.silent(.idle, "no bytes for 3s (timeouts.idle)")))
    }

    // MARK: A reader that stops the others

    /// A pull that waits for its slowest reader.
    private static func waitingBench() -> PullBench {
        PullBench { route, sharing in
            sharing.retention = Retention(records: 2)
            sharing.lag = .wait
            route.stallTimeout?.after = .seconds(8)
        }
    }

    @Test(arguments: [false, true]) func aReaderThatHoldsThePullEndsAfterTheStallTimeout(isUnread: Bool) throws {
        let bench = Self.waitingBench()
        let (slow, fast) = (try bench.reader(), try bench.reader())
        bench.transfers[0].head()
        slow.transfer?.pause()
        slow.isUnread = isUnread
        bench.transfers[0].lines(1...2)
        bench.advance(seconds: 7)
        #expect(bench.transfers[0].isPaused && !slow.hasLagged)
        bench.advance(seconds: 3)
        // The stream's own clock decides about a client that does not read.
        #expect(slow.hasLagged == !isUnread)
        #expect(bench.transfers[0].isPaused == isUnread)
        #expect(fast.lines == [1, 2] && !fast.hasLagged)
        if !isUnread {
            bench.transfers[0].lines(3...9)
            bench.advance(seconds: 30)
            #expect(fast.lines == Array(1...9) && !fast.hasLagged)
        }
    }

    /// A feed may be released on the pull's loop, where its timer must not be set.
    @Test func aPullThatEndsWhileAReaderHoldsItLeavesNoTimer() throws {
        let bench = Self.waitingBench()
        let slow = try bench.reader()
        bench.transfers[0].head()
        slow.transfer?.pause()
        bench.transfers[0].lines(1...2)
        #expect(bench.transfers[0].isPaused && bench.timers.count > 0)
        bench.transfers[0].end()
        #expect(bench.timers.count == 0)
    }

    @Test func aReaderThatIsOnlySlowSetsThePaceOfAll() throws {
        let bench = Self.waitingBench()
        let (slow, fast) = (try bench.reader(), try bench.reader())
        bench.transfers[0].head()
        slow.pausesItself = true
        slow.recordRoom = 1
        for line in 1...10 {
            bench.transfers[0].lines(line...line)
            bench.advance(seconds: 7)
            slow.transfer?.resume()
            bench.run()
        }
        #expect(!slow.hasLagged && !fast.hasLagged)
        #expect(slow.lines == Array(1...10))
    }

    @Test func anUnknownEventIsNoReasonToRefuse() throws {
        let bench = PullBench { $1.join = .beginning }
        let first = try bench.reader()
        let id = Array("7".utf8).withUnsafeBytes { RecordKey($0) }
        bench.transfers[0].head(200, ["Content-Type": "text/event-stream"])
        bench.transfers[0].text("id: 1\ndata: 1\n\n")
        let late = try bench.reader(at: .afterEvent(id))
        #expect(!late.isGone && late.status == 200)
        #expect(late.text == first.text && !late.text.isEmpty)
    }

    /// A pull may run for hours: as a probe it succeeds when it has run for the breaker's window.
    @Test func aProbeProvesGoodByTime() throws {
        let bench = PullBench { route, _ in
            route.upstreamBreaker = .upstream
            route.upstreamBreaker?.failures = 1
            route.upstreamBreaker?.probeRecords = 1000
        }
        func state() -> CircuitBreaker.State? {
            bench.route.gate.breakerFigures(of: "/", at: bench.now()).upstreams.first
        }
        _ = try bench.reader()
        bench.transfers[0].end(.failed(.unreachable("x")))
        #expect(state() == .open)
        #expect(throws: JoinError.self) { _ = try bench.reader() }
        bench.advance(by: .seconds(20))
        _ = try bench.reader()
        bench.transfers[1].head()
        bench.transfers[1].lines(1...3)
        #expect(state() == .halfOpen)
        bench.advance(by: .seconds(30))
        #expect(state() == .closed)
    }

    @Test func thePullIsCountedOnceAtItsUpstream() throws {
        let bench = PullBench { route, _ in route.upstreamStreams = 1 }
        _ = try bench.reader(target: "/a")
        _ = try bench.reader(target: "/a")
        #expect(throws: JoinError.self) { _ = try bench.reader(target: "/b") }
        bench.transfers[0].end()
        _ = try bench.reader(target: "/b")
    }
}
