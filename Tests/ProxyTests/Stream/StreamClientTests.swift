import Flow
import NIOCore
import NIOHTTP1
import Observability
import Settings
import TestSupport
import Testing
import Upstream

@testable import Downstream
@testable import Proxy

/// What the client does while its stream runs, in each order with what the upstream does.
struct StreamClientTests {
    private func resumable(_ change: (inout Route) -> Void = { _ in }) throws -> StreamBench {
        try StreamBench {
            $0.resumeWindow = .seconds(30)
            change(&$0)
        }
    }

    /// When a start of another client may succeed; `nil` if it does at once.
    private func retryAfterOfAnother(on bench: StreamBench) -> Duration? {
        do throws(AdmissionError) {
            _ = try bench.route.gate.admit(ClientKey("192.0.2.2"), at: bench.host.now())
            return nil
        } catch {
            return error.retryAfter
        }
    }

    /// The upstream sends a whole response of one record.
    private func respond(on bench: StreamBench) {
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        bench.transfer.end()
    }

    // MARK: It leaves

    @Test(arguments: [false, true])
    func aClientThatLeavesEndsItsStream(hasHead: Bool) throws {
        let bench = try StreamBench()
        let (_, response) = try bench.open()
        if hasHead { bench.transfer.sendHead() }
        response.disconnect()
        #expect(bench.transfer.isCancelled && bench.host.ends.map(\.hasExpired) == [false])
        #expect(bench.admission.openStreams == 0 && bench.tally.disconnects[.gone] == 1)
    }

    @Test func aResponseThatCannotBeSentDoesNotBlameTheUpstream() throws {
        let bench = try StreamBench {
            $0.upstreamBreaker = Route.Breaker.upstream
            $0.upstreamBreaker?.failures = 1
        }
        let (stream, _) = try bench.open()
        bench.transfer.sendHead()
        stream.responseFailed()
        #expect(bench.transfer.isCancelled)
        _ = try bench.open()
    }

    // MARK: It comes back

    @Test(arguments: [false, true])
    func onlyAClientThatMayComeBackHasToAcknowledgeTheEnd(isResumable: Bool) throws {
        let bench = try isResumable ? resumable() : StreamBench()
        let (_, response) = try bench.open()
        bench.transfer.sendHead()
        #expect(!response.awaitsAcknowledgement)
        bench.transfer.send("1\n")
        bench.transfer.end()
        #expect(response.hasEnded && response.awaitsAcknowledgement == isResumable)
    }

    @Test func aResponseThatWasSentGivesItsSlotToTheClientsNextStart() throws {
        let bench = try resumable { $0.streams.perClient = 1 }
        let (stream, first) = try bench.open()
        respond(on: bench)
        #expect(throws: AdmissionError.self) { try bench.open() }
        stream.responseHandedOver()
        _ = try bench.open()
        #expect(bench.host.displaced == [stream.id])
        stream.end(.clientGone)
        #expect(bench.tally.outcomes[.completed] == 1 && first.delegate == nil)
    }

    @Test func nothingOfAResponseThatWasSentIsHeld() throws {
        let bench = try resumable()
        let (stream, response) = try bench.open()
        respond(on: bench)
        let kept = bench.host.bufferedBytes
        response.pendingBytes = ByteCount(100)
        stream.responseBlocked()
        #expect(bench.host.bufferedBytes == kept + 100)
        stream.responseHandedOver()
        #expect(bench.host.bufferedBytes == kept)
    }

    @Test func otherClientsWaitForAnAcknowledgementAndNotForTheWindow() throws {
        let bench = try resumable { $0.streams.perRoute = 1 }
        let (stream, response) = try bench.open()
        respond(on: bench)
        stream.responseHandedOver()
        #expect(retryAfterOfAnother(on: bench) == .zero)
        response.disconnect()
        #expect(retryAfterOfAnother(on: bench) == .seconds(30))
    }

    @Test func whileTheProcessStopsNoAcknowledgementIsAwaited() throws {
        let bench = try resumable()
        let (stream, _) = try bench.open()
        respond(on: bench)
        bench.host.isDraining = true
        stream.responseHandedOver()
        #expect(bench.tally.outcomes[.completed] == 1 && bench.admission.openStreams == 0)
    }

    @Test func aClientComesBackForWhatItHasNotReceived() throws {
        let bench = try resumable()
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send(["1", "2", "3"].lines)
        first.disconnect()
        #expect(stream.status == .resumable && bench.host.ends.isEmpty && !bench.transfer.isCancelled)
        #expect(bench.tally.disconnects[.resumable] == 1)
        bench.transfer.send("4\n")
        let second = FakeResponse()
        #expect(stream.resume(after: 1, second) == nil)
        #expect(second.text == ["2", "3", "4"].lines && second.headers["x-stream-id"] == [stream.id.text])
        bench.transfer.end()
        second.finish()
        let line = try bench.logLine()
        #expect(line["reason"] as? String == "completed" && line["resumptions"] as? Int == 1)
        #expect(line["records"] as? Int == 4)
    }

    @Test func aSecondConnectionReplacesOneThatIsStillOpen() throws {
        let bench = try resumable()
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        let second = FakeResponse()
        #expect(stream.resume(after: 0, second) == nil)
        #expect(first.isAborted && second.text == "1\n" && bench.host.ends.isEmpty)
        first.disconnect()
        #expect(stream.status == .flowing, "the old connection has no more say")
    }

    @Test func whatCannotBeResumedIsRefusedAndChangesNothing() throws {
        let bench = try resumable { $0.policy.defaultBuffer = 4 }
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send((1...20).map(String.init).lines)
        first.disconnect()
        #expect(stream.resume(after: 1, FakeResponse())?.status == 410)
        #expect(stream.resume(after: 21, FakeResponse())?.status == 400)
        #expect(stream.status == .resumable)
        let plain = try StreamBench()
        let (other, _) = try plain.open()
        plain.transfer.sendHead()
        #expect(other.resume(after: 0, FakeResponse())?.status == 410)
    }

    @Test func aClientThatDoesNotComeBackLosesItsStream() throws {
        let bench = try resumable()
        let (_, first) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        first.disconnect()
        bench.advance(by: .milliseconds(30_001))
        #expect(bench.host.ends.map(\.hasExpired) == [true] && bench.transfer.isCancelled)
        #expect(bench.host.bufferedBytes == 0 && bench.admission.openStreams == 0)
    }

    @Test func theUpstreamEndsWhileTheClientIsAway() throws {
        let bench = try resumable()
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        first.disconnect()
        bench.transfer.send("2\n")
        bench.transfer.end()
        #expect(bench.host.ends.isEmpty)
        let second = FakeResponse()
        #expect(stream.resume(after: 1, second) == nil)
        #expect(second.text == "2\n" && second.hasEnded && !second.isBroken)
        second.finish()
        #expect(bench.host.ends.map(\.hasExpired) == [false])
    }

    @Test func theClientLeavesAfterTheUpstreamsEndAndBeforeItsOwn() throws {
        let bench = try resumable()
        let (stream, first) = try bench.open()
        respond(on: bench)
        #expect(first.hasEnded)
        stream.responseClosed()
        let second = FakeResponse()
        #expect(stream.resume(after: 0, second) == nil)
        #expect(second.text == "1\n" && second.hasEnded)
    }

    @Test func aNewStartOfTheClientTakesTheSlotOfItsDetachedStream() throws {
        let bench = try resumable { $0.streams.perClient = 1 }
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        first.disconnect()
        _ = try bench.open()
        #expect(bench.host.displaced == [stream.id])
        #expect(stream.resume(after: 0, FakeResponse())?.status == 410)
        #expect(bench.host.ends.map(\.id) == [stream.id])
    }

    // MARK: Feedback

    @Test func aClientPausesAndResumesItsStream() throws {
        let bench = try StreamBench()
        let (stream, response) = try bench.open()
        bench.transfer.sendHead()
        stream.apply(Feedback.with { $0.isPaused = true })
        bench.transfer.send("1\n")
        #expect(response.text.isEmpty && stream.status == .held)
        bench.advance(by: .milliseconds(500))
        stream.apply(Feedback.with { $0.isPaused = false })
        #expect(response.text == "1\n" && stream.status == .flowing)
        stream.end(.drained)
        #expect(try bench.logLine()["feedbacks"] as? Int == 2)
    }

    @Test func aClientRequestsRecordsOneByOne() throws {
        let bench = try StreamBench()
        let (stream, response) = try bench.open()
        bench.transfer.sendHead()
        stream.apply(Feedback.with { $0.request = 1 })
        bench.transfer.send(["1", "2", "3"].lines)
        #expect(response.text == "1\n" && stream.status == .held)
        stream.apply(Feedback.with { $0.request = 2 })
        #expect(response.text == "1\n2\n3\n")
    }

    @Test func aSmallerBufferPausesTheUpstreamAndALargerOneResumesIt() throws {
        let bench = try StreamBench { $0.policy.defaultBuffer = 8 }
        let (stream, response) = try bench.open()
        bench.transfer.sendHead()
        stream.apply(Feedback.with { $0.isPaused = true })
        stream.apply(Feedback.with { $0.bufferSize = 2 })
        bench.transfer.send(["1", "2", "3"].lines)
        #expect(bench.transfer.orders == ["start", "pause"] && bench.tally.pauses[.feedback] == 1)
        stream.apply(Feedback.with { $0.bufferSize = 100 })
        #expect(bench.transfer.orders == ["start", "pause", "resume"] && response.text.isEmpty)
    }

    @Test func aClientThatHoldsItsStreamForTooLongLosesIt() throws {
        let bench = try StreamBench { $0.timeouts.pause = .seconds(5) }
        let (stream, response) = try bench.open()
        bench.transfer.sendHead()
        stream.apply(Feedback.with { $0.isPaused = true })
        bench.advance(by: .milliseconds(5001))
        #expect(response.isBroken && bench.host.ends.count == 1)
    }

    // MARK: Reload

    @Test func anOpenStreamFollowsTheRoutesNewMaxima() throws {
        let bench = try StreamBench()
        let (stream, response) = try bench.open()
        bench.transfer.sendHead()
        var settings = bench.route.settings
        settings.policy.maximumPace = .limited(try #require(Rate("1/second")))
        settings.timeouts.total = .seconds(10)
        stream.adopt(ProxyRoute(settings, after: bench.route))
        #expect(response.isMetered == true)
        bench.transfer.send(["1", "2", "3"].lines)
        #expect(response.text.split(separator: "\n").count <= 2)
        bench.advance(by: .milliseconds(10_001))
        #expect(response.isBroken)
    }

    // MARK: The request's body

    @Test func theBodyIsTakenAsFarAsTheUpstreamAsks() throws {
        let bench = try StreamBench()
        let source = FakeBodySource(bench.host)
        let request = try Request.of(.POST, "/", [("Content-Length", "5")])
        let body = RequestBody(of: request, from: source)
        let (stream, _) = try bench.open([("Content-Length", "5")], method: .POST, body: body)
        let delegate = try #require(bench.transfer.delegate)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 1)
        defer { memory.deallocate() }
        #expect(delegate.transferBody(into: memory) == .nothingYet)
        body.arrived(.init(string: "hello"))
        #expect(bench.transfer.orders == ["start", "body"])
        body.ended()
        #expect(delegate.transferBody(into: memory) == .bytes(5))
        #expect(delegate.transferBody(into: memory) == .end && stream.upstream.body != nil)
        bench.transfer.sendHead()
        bench.transfer.end()
        #expect(stream.upstream.body == nil)
    }

    /// A connection may fail in the call that has it read again: then the stream ends within the upstream's own call.
    @Test(arguments: [false, true])
    func aConnectionThatFailsAsItsBodyIsReadOnEndsTheStreamAlone(atTheEnd: Bool) throws {
        let bench = try StreamBench()
        let source = FakeBodySource(bench.host)
        let size = 128 << 10
        let request = try Request.of(.POST, "/", [("Content-Length", "\(size)")])
        let body = RequestBody(of: request, from: source)
        let response = try bench.open([("Content-Length", "\(size)")], method: .POST, body: body).1
        body.arrived(.init(repeating: 1, count: size))
        source.readsOn = { response.disconnect() }
        if atTheEnd {
            bench.transfer.end(.failed(.reset("reset")))
        } else {
            let delegate = try #require(bench.transfer.delegate)
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
            defer { memory.deallocate() }
            _ = delegate.transferBody(into: memory)
        }
        #expect(source.readsOn == nil && bench.host.ends.count == 1 && bench.host.streams.isEmpty)
        #expect(bench.admission.openRequests == 0 && bench.host.timers.count == 0)
    }

    @Test(arguments: [false, true])
    func aBodyThatIsCutOffEndsTheStream(hasHead: Bool) throws {
        let bench = try StreamBench()
        let request = try Request.of(.POST, "/", [("Content-Length", "5")])
        let body = RequestBody(of: request, from: FakeBodySource(bench.host))
        let (stream, response) = try bench.open([("Content-Length", "5")], method: .POST, body: body)
        if hasHead { bench.transfer.sendHead() }
        stream.upstream.bodyFailed(.malformed)
        #expect(response.status?.code == (hasHead ? 200 : 400) && response.hasEnded && bench.transfer.isCancelled)
    }
}

/// A connection whose body a test sends.
final class FakeBodySource: RequestBodySource {
    let timers: LoopTimers
    let clock: () -> Instant

    init(_ host: FakeHost) { (timers, clock) = (host.timers, host.clock.read) }

    /// Called once, in the call that has the connection read again.
    var readsOn: (() -> Void)?

    func setReading(_ reads: Bool) {
        guard reads, let readsOn else { return }
        self.readsOn = nil
        readsOn()
    }
    func sendContinue() {}
}

extension Feedback {
    static func with(_ change: (inout Feedback) -> Void) -> Feedback {
        var feedback = Feedback()
        change(&feedback)
        return feedback
    }
}
