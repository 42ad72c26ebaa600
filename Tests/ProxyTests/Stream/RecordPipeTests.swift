import Flow
import NIOHTTP1
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy

/// The pipe by itself: bytes in, records out, and the reason for which it stops.
struct RecordPipeTests {
    private let response = FakeResponse()
    private let now = Instant.seconds(10)

    private func pipe(
        _ change: (inout Route) -> Void = { _ in }, reportsLosses: Bool = false
    ) -> RecordPipe {
        var settings = Route(match: .init(path: "/"), upstreams: [UpstreamAddress(host: "origin", port: 9000)])
        change(&settings)
        let route = ProxyRoute(settings)
        let terms = Terms(
            pace: settings.policy.defaultPace, burst: 1, buffer: settings.policy.defaultBuffer,
            maximumBytes: .kibibytes(4), maximumRecordBytes: .kibibytes(1))
        let pipe = RecordPipe(terms: terms, policy: settings.policy, response: response, at: now)
        pipe.begin(
            .ndjson, on: route, reportsLosses: reportsLosses,
            sharesBudget: settings.streams.clientRecords != nil, at: now)
        return pipe
    }

    private func push(_ text: String, into pipe: RecordPipe) -> RecordPipe.Sent {
        var text = text
        return text.withUTF8 { pipe.push(UnsafeRawBufferPointer($0), at: now) }
    }

    @Test func whatMayBeSentIsSentAtOnceAndCounted() {
        let pipe = pipe()
        let sent = push("1\n2\n3", into: pipe)
        #expect(sent.run == .init(records: 2, bytes: 4) && sent.stop == .waiting && sent.hasRoom)
        #expect(response.text == "1\n2\n" && pipe.queue.bytes == 1)
    }

    @Test func withoutAClientEverythingIsQueued() {
        let pipe = pipe()
        pipe.detach()
        let sent = push("1\n", into: pipe)
        #expect(sent.run.records == 0 && !sent.hasRoom && pipe.queue.records == 1 && pipe.heldBytes == 2)
        let second = FakeResponse()
        pipe.attach(second, at: now)
        #expect(pipe.pump(isLast: false, at: now).run.records == 1 && second.text == "1\n")
    }

    @Test func theNextDueTimeIsThatOfTheNextQueuedRecord() throws {
        let pace = Pace.limited(try #require(Rate("2/second")))
        let pipe = pipe { $0.policy.defaultPace = pace }
        #expect(pipe.nextDue == nil)
        _ = push("1\n2\n3\n", into: pipe)
        #expect(response.text == "1\n" && pipe.nextDue == now + .milliseconds(500))
        #expect(pipe.pump(isLast: false, at: now + .milliseconds(499)).run.records == 0)
        #expect(pipe.pump(isLast: false, at: now + .milliseconds(500)).run.records == 1)
    }

    /// A segment of records of a shared stream.
    private func slice(_ text: String) throws -> SharedLog.Slice {
        var cutter = RecordCutter(framer: .lines, maximum: .kibibytes(1))
        Array(text.utf8).withUnsafeBytes { cutter.push($0) }
        let segment = cutter.cut(at: now)
        var log = SharedLog(retention: Retention())
        return log.append(try #require(segment))
    }

    @Test func sharedRecordsPassTheQueueAsFarAsThePacePermits() throws {
        let pace = Pace.limited(try #require(Rate("2/second")))
        let pipe = pipe { $0.policy.defaultPace = pace }
        #expect(pipe.pass(try slice("1\n"), isLast: true, at: now)?.records == 1)
        #expect(pipe.pass(try slice("2\n"), isLast: true, at: now) == nil)
        #expect(pipe.pass(try slice("2\n3\n"), isLast: true, at: now + .milliseconds(500)) == nil)
        #expect(pipe.pass(try slice("2\n"), isLast: true, at: now + .milliseconds(500))?.records == 1)
        #expect(response.text == "1\n2\n")
    }

    @Test func sharedRecordsPassTheQueueAsFarAsTheClientRequestsThem() throws {
        let pipe = pipe()
        pipe.pacer.request(2)
        #expect(pipe.pass(try slice("1\n"), isLast: true, at: now)?.records == 1)
        #expect(pipe.pass(try slice("2\n3\n"), isLast: true, at: now) == nil)
        pipe.pacer.hold(true)
        #expect(pipe.pass(try slice("2\n"), isLast: true, at: now) == nil)
        #expect(response.text == "1\n" && pipe.pacer.remainingCredit == 1)
    }

    @Test func aLeaseIsRequestedBeforeTheFirstRecord() throws {
        let pipe = pipe { $0.streams.clientRecords = .init(rate: Rate("10/second")) }
        #expect(push("1\n2\n", into: pipe).run.records == 0 && pipe.needsPump(at: now))
        #expect(pipe.pump(isLast: false, at: now).stop == .lease(records: 2))
        pipe.lease(nil)
        #expect(pipe.pump(isLast: false, at: now).run.records == 2 && response.text == "1\n2\n")
    }

    @Test func aBudgetWithoutRecordsIsAskedAgainAtItsTime() throws {
        let pipe = pipe { $0.streams.clientRecords = .init(rate: Rate("10/second")) }
        _ = push("1\n2\n", into: pipe)
        pipe.lease(.later(now + .milliseconds(40)))
        #expect(!pipe.needsPump(at: now) && pipe.nextDue == now + .milliseconds(40))
        #expect(pipe.pump(isLast: false, at: now).stop == .waiting)
        #expect(pipe.pump(isLast: false, at: now + .milliseconds(40)).stop == .lease(records: 2))
        pipe.lease(.lease(records: 1, notBefore: now + .milliseconds(40)))
        #expect(pipe.pump(isLast: false, at: now + .milliseconds(40)).run.records == 1 && response.text == "1\n")
    }

    @Test func aLossStopsThePipeUntilItIsReported() {
        let pipe = pipe(
            {
                $0.overflow = .dropOldest
                $0.policy.defaultBuffer = 1
            }, reportsLosses: true)
        response.openRoom = 0
        _ = push("1\n2\n3\n", into: pipe)
        response.openRoom = 100
        #expect(pipe.pump(isLast: false, at: now).stop == .loss(records: 2) && response.text.isEmpty)
        #expect(pipe.writeOwn("lost\n") == ByteCount(5))
        pipe.lossReported()
        #expect(pipe.pump(isLast: false, at: now).stop == .waiting && response.text == "lost\n3\n")
    }

    @Test func aLongRecordFailsAfterThoseBeforeIt() {
        let pipe = pipe()
        let long = String(repeating: "x", count: 2000)
        #expect(push("1\n" + long, into: pipe).run.records == 1)
        #expect(pipe.pump(isLast: false, at: now).stop == .failed(.recordTooLarge(limit: .kibibytes(1))))
        #expect(push(long, into: pipe).stop == .failed(.recordTooLarge(limit: .kibibytes(1))))
    }

    @Test func aQueueAndAReplayBufferShareTheBound() {
        let pipe = pipe {
            $0.resumeWindow = .seconds(1)
            $0.policy.defaultBuffer = 10
        }
        #expect(pipe.queue.bounds.records == 5 && pipe.queue.bounds.bytes == .kibibytes(2))
        _ = push((1...30).map(String.init).lines, into: pipe)
        #expect(pipe.replay?.records == 10, "what the queue does not use")
        response.openRoom = 0
        _ = push((31...35).map(String.init).lines, into: pipe)
        pipe.keepForReplay(0)
        #expect(pipe.replay?.records == 5 && pipe.queue.level == .full)
    }

    @Test func aRewindQueuesWhatTheClientHasNotReceived() {
        let pipe = pipe { $0.resumeWindow = .seconds(1) }
        _ = push("1\n2\n3\n", into: pipe)
        #expect(pipe.rewind(after: 1, of: 3) == .unread(records: 2) && pipe.queue.records == 2)
        #expect(pipe.rewind(after: 9, of: 1) == .neverSent)
        #expect(self.pipe().rewind(after: 0, of: 0) == nil)
    }

    @Test func theFirstBytesAfterAHeartbeatHaveNoByteOrderMark() {
        var settings = Route(match: .init(path: "/"), upstreams: [])
        settings.heartbeat = .seconds(1)
        let terms = Terms(
            pace: .unlimited, burst: 1, buffer: 10, maximumBytes: .kibibytes(4), maximumRecordBytes: .kibibytes(1))
        let pipe = RecordPipe(terms: terms, policy: settings.policy, response: response, at: now)
        pipe.begin(.sse, on: ProxyRoute(settings), reportsLosses: false, sharesBudget: false, at: now)
        #expect(pipe.sendHeartbeat(at: now) == .zero)
        #expect(pipe.sendHeartbeat(at: now + .seconds(1)) == ByteCount(3))
        _ = push("\u{FEFF}data: 1\n\n", into: pipe)
        #expect(response.text == ":\n\ndata: 1\n\n")
    }

    /// Every split of the input gives the same output.
    @Test func chunksMayEndAnywhere() {
        let text = "1\n\n22\n333\n"
        for split in 0...text.utf8.count {
            let response = FakeResponse()
            let pipe = pipe()
            pipe.attach(response, at: now)
            _ = push(String(text.prefix(split)), into: pipe)
            _ = push(String(text.dropFirst(split)), into: pipe)
            #expect(response.text == text && pipe.queue.isEmpty)
        }
    }
}
