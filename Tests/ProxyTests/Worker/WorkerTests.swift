import Flow
import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Observability
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy

@Suite struct WorkerTests {
    private func state(in answer: FakeResponse) throws -> String? {
        (try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any])?["state"] as? String
    }

    // MARK: Health

    @Test func theHealthPageIsAnsweredAndLogged() throws {
        let bench = try WorkerBench.waiting()
        #expect(bench.send(try .of(.GET, "/v1/health/streaming")).status == .ok)
        #expect(bench.send(try .of(.POST, "/v1/health/streaming")).status == .methodNotAllowed)
        #expect(bench.send(try .of(.GET, "/v1/health/streaming/more")).status == .notFound)
        #expect(try bench.test.logLines().map { $0["status"] as? Int } == [200, 405, 404])
    }

    // MARK: Stop

    @Test func noTimerIsSetAfterTheStop() throws {
        let bench = try WorkerBench.waiting { $0.limits.maxBufferBytes = .mebibytes(1) }
        _ = try bench.promise()
        bench.worker.endStreams(.drained)
        bench.worker.bufferChanged(by: 2 << 20)
        bench.worker.stop()
        #expect(bench.worker.timers.count == 0)
    }

    // MARK: Open streams and their addresses

    @Test func aPromisedStreamIsOpenUntilItsEnd() throws {
        let bench = try WorkerBench.waiting()
        let location = try bench.promise()
        #expect(bench.worker.openStreams == 1 && bench.tally.active == 1)
        #expect(bench.test.shared.registry.count == 1 && bench.test.shared.buffers.openStreams == 1)
        let look = bench.send(try .of(.GET, location))
        #expect(look.status == .accepted && look.headers["retry-after"] == ["1"])
        #expect(try state(in: look) == "waiting")
        let cancel = bench.send(try .of(.DELETE, location))
        #expect(cancel.status == .ok)
        #expect(try state(in: cancel) == "ended")
        #expect(bench.worker.openStreams == 0 && bench.tally.active == 0)
        #expect(bench.test.shared.registry.count == 0 && bench.test.shared.buffers.openStreams == 0)
        for method in [HTTPMethod.GET, .DELETE] {
            #expect(bench.send(try .of(method, location)).status == .notFound)
        }
    }

    @Test func aPromisedStreamThatExpiredIsGone() throws {
        let bench = try WorkerBench.waiting()
        let location = try bench.promise()
        bench.advance(by: .seconds(61))
        #expect(bench.worker.openStreams == 0)
        #expect(bench.send(try .of(.GET, location)).status == .gone)
    }

    @Test func onePromiseTooManyIsTheRefusal() throws {
        let bench = try WorkerBench.waiting { $0.routes[0].async?.perClient = 1 }
        _ = try bench.promise()
        let answer = bench.send(try .of(.GET, "/", [("Prefer", "respond-async")]))
        #expect(answer.status == .tooManyRequests && answer.delegate == nil)
        #expect(bench.worker.openStreams == 1)
        #expect(bench.tally.refusals[.tooManyStreams] == 1)
    }

    @Test(
        arguments: [
            (HTTPMethod.POST, ""), (.PUT, ""), (.GET, "/feedback"), (.DELETE, "/feedback"),
        ])
    func anAddressHasItsMethods(method: HTTPMethod, suffix: String) throws {
        let bench = try WorkerBench.waiting()
        let answer = bench.send(try .of(method, try bench.promise() + suffix))
        #expect(answer.status == .methodNotAllowed)
        #expect(answer.headers["allow"] == [suffix.isEmpty ? "GET, HEAD, DELETE" : "POST"])
    }

    @Test func whatIsBelowThePathAndNoAddressIsNotFound() throws {
        #expect(try WorkerBench.waiting().send(.of(.GET, "/v1/streams/nothing")).status == .notFound)
    }

    // MARK: Feedback

    private func feedback(_ text: String, to location: String, of bench: WorkerBench) throws -> FakeResponse {
        let length = [("Content-Length", String(text.utf8.count))]
        return bench.send(try .of(.POST, location + "/feedback", length), body: text)
    }

    @Test func feedbackChangesAStreamAndIsAnsweredWithItsState() throws {
        let bench = try WorkerBench.waiting()
        let answer = try feedback(#"{"rate":"5/second"}"#, to: bench.promise(), of: bench)
        #expect(answer.status == .ok)
        #expect(answer.text.contains(#""rate":"5/second""#))
    }

    @Test(
        arguments: [
            ("", 400), ("[]", 400), ("{}", 400), (#"{"speed":1}"#, 400), (#"{"rate":"fast"}"#, 400),
            (#"{"pause":true,"pause":false}"#, 400),
            (String(repeating: " ", count: FeedbackBody.maximumBytes.bytes + 1), 413),
        ])
    func malformedFeedbackIsRefused(text: String, status: Int) throws {
        let bench = try WorkerBench.waiting()
        let location = try bench.promise()
        let answer = try feedback(text, to: location, of: bench)
        #expect(answer.status?.code == UInt(status))
        let lines = try bench.test.logLines()
        #expect(lines.last?["reason"] as? String == "refused" && lines.last?["status"] as? Int == status)
    }

    @Test func feedbackForAStreamThatEndedIsNotFound() throws {
        let bench = try WorkerBench.waiting()
        let location = try bench.promise()
        _ = bench.send(try .of(.DELETE, location))
        #expect(try feedback(#"{"pause":true}"#, to: location, of: bench).status == .notFound)
    }

    // MARK: Resumption

    private func resume(_ location: String, _ uri: String, _ bench: WorkerBench) throws -> FakeResponse {
        let id = location.split(separator: "/").last ?? ""
        return bench.send(try .of(.GET, uri, [("X-Stream-Resume", "\(id); after=0")]))
    }

    @Test func whatCannotBeResumedIsGone() throws {
        let bench = try WorkerBench.waiting {
            var other = $0.routes[0]
            other.match.path = "/other"
            $0.routes.insert(other, at: 0)
        }
        let location = try bench.promise()
        #expect(try resume(location, "/", bench).status == .gone)
        #expect(try resume(location, "/other", bench).status == .gone)
        #expect(bench.tally.refusals[.gone] == 1 && bench.worker.meters.route("/other").tally.refusals[.gone] == 1)
        _ = bench.send(try .of(.DELETE, location))
        #expect(try resume(location, "/", bench).status == .notFound)
    }

    // MARK: Displaced streams

    @Test func aDisplacedStreamEndsAndAnUnknownOneChangesNothing() throws {
        let bench = try WorkerBench.waiting()
        let id = try bench.promiseStream()
        bench.worker.endDisplaced(id)
        #expect(bench.worker.openStreams == 0)
        bench.worker.endDisplaced(id)
    }

    // MARK: Life cycle

    @Test func anAdmittedStreamIsOpenUntilStreamsAreEnded() throws {
        let bench = try WorkerBench.waiting { $0.routes[0].streams.perClient = nil }
        let answer = bench.send(try .of())
        #expect(bench.worker.openStreams == 1)
        bench.worker.endStreams(.drained)
        #expect(bench.worker.openStreams == 0)
        #expect(answer.status == .serviceUnavailable && answer.hasEnded)
        #expect(try bench.test.logLines().map { $0["reason"] as? String } == ["drained"])
    }

    @Test func theEndOfAWorkerEndsWhatIsOpen() throws {
        let bench = try WorkerBench.waiting()
        _ = try bench.promise()
        bench.worker.stop()
        #expect(bench.worker.openStreams == 0 && bench.worker.timers.count == 0)
    }

    @Test func aDrainEndsStreamsThatHaveNoClientAtOnce() throws {
        let bench = try WorkerBench.waiting()
        _ = try bench.promise()
        bench.worker.drain(over: .seconds(30))
        #expect(bench.worker.openStreams == 0)
    }

    @Test func aRunningStreamIsReportedOnceInAnInterval() throws {
        let bench = try WorkerBench.waiting { $0.accessLog?.progressInterval = .seconds(1) }
        _ = try bench.promise()
        for _ in 0..<2500 { bench.advance(by: .milliseconds(1)) }
        let events = try bench.test.logLines().map { $0["event"] as? String }
        #expect((1...2).contains(events.count { $0 == "progress" }))
    }

    @Test func openStreamsFollowAnotherConfiguration() throws {
        let bench = try WorkerBench.waiting()
        _ = try bench.promise()
        var next = bench.test.shared.served.configuration
        next.routes[0].streams.perClient = 5
        next.limits.headerTimeout = .seconds(3)
        let served = ServedConfiguration(
            next, after: bench.test.shared.served, log: bench.test.shared.processLog)
        bench.worker.adopt(served)
        #expect(bench.worker.listener?.limits.headerTime == .seconds(3))
        #expect(bench.worker.streams.all.map { $0.route.settings.streams.perClient } == [5])
    }
}
