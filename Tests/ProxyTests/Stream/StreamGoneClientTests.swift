import Downstream
import Flow
import NIOCore
import NIOHTTP1
import Observability
import Settings
import TestSupport
import Testing
import Upstream

@testable import Proxy

/// Streams that are read on while they have no client (`on_client_gone: continue`), and their return by `Last-Event-ID`.
struct StreamGoneClientTests {
    private static let sse = [("Content-Type", "text/event-stream")]
    private static let mine = [("Authorization", "Bearer me")]

    private func bench(_ change: (inout Route) -> Void = { _ in }) throws -> StreamBench {
        try StreamBench {
            $0.resumeWindow = .seconds(30)
            $0.onClientGone = .continue
            $0.policy.defaultBuffer = 4
            $0.policy.maximumBuffer = 20
            change(&$0)
        }
    }

    private func numbers(_ range: ClosedRange<Int>) -> String { range.map(String.init).lines }

    private func events(_ range: ClosedRange<Int>) -> String { range.map { "id: \($0)\ndata: \($0)\n\n" }.joined() }

    private func key(_ id: String) -> RecordKey { Array(id.utf8).withUnsafeBytes { RecordKey($0) } }

    // MARK: The upstream is read on

    @Test func theUpstreamIsReadToItsEndAndTheClientGetsAllOfIt() throws {
        let bench = try bench()
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        first.disconnect()
        bench.transfer.send(numbers(2...12))
        bench.transfer.end()
        #expect(!bench.transfer.orders.contains("pause") && stream.status == .resumable && bench.host.ends.isEmpty)
        let second = FakeResponse()
        second.canSendTrailers = true
        #expect(stream.resume(after: 0, second) == nil)
        #expect(second.text == numbers(1...12) && second.hasEnded && !second.isBroken)
        #expect(second.trailers["x-stream-items"] == ["12"] && second.trailers["x-stream-status"] == ["complete"])
        second.finish()
        #expect(bench.host.ends.map(\.hasExpired) == [false] && bench.host.bufferedBytes == 0)
    }

    @Test func aDrainWaitsForNoClientThatLeaves() throws {
        let bench = try bench()
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        bench.host.isDraining = true
        first.disconnect()
        #expect(stream.machine.isFinished && bench.transfer.isCancelled && bench.host.ends.map(\.hasExpired) == [false])
    }

    @Test func withoutItTheUpstreamWaitsForTheClient() throws {
        let bench = try bench { $0.onClientGone = .wait }
        let (_, first) = try bench.open()
        bench.transfer.sendHead()
        first.disconnect()
        bench.transfer.send(numbers(1...12))
        #expect(bench.transfer.orders == ["start", "pause"])
    }

    @Test func aStreamThatIsCancelledWithItsClientHasNoWindow() throws {
        let bench = try bench { $0.onClientGone = .cancel }
        let (_, first) = try bench.open()
        bench.transfer.sendHead()
        first.disconnect()
        #expect(bench.transfer.isCancelled && bench.host.ends.count == 1 && bench.admission.openStreams == 0)
    }

    @Test func theUpstreamWaitsAtTheLargestBufferAndTheWindowEndsTheStream() throws {
        let bench = try bench()
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send(numbers(1...2))
        first.disconnect()
        bench.transfer.send(numbers(3...19))
        #expect(bench.transfer.orders == ["start"] && stream.pipe.queue.records == 17)
        bench.transfer.send(numbers(20...21))
        #expect(bench.transfer.orders == ["start", "pause"] && bench.tally.pauses[.detached] == 1)
        #expect(stream.pipe.queue.bounds.records == 18, "two are kept for the client")
        bench.advance(by: .milliseconds(30_001))
        #expect(bench.host.ends.map(\.hasExpired) == [true] && bench.transfer.isCancelled)
        #expect(bench.host.bufferedBytes == 0 && bench.admission.openStreams == 0 && bench.host.timers.count == 0)
    }

    @Test func anUpstreamThatWasPausedBeforeIsReadOn() throws {
        let bench = try bench()
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send(numbers(1...4))
        first.openRoom = 0
        stream.responseBlocked()
        bench.transfer.send(numbers(5...20))
        #expect(bench.transfer.orders == ["start", "pause"])
        first.disconnect()
        #expect(bench.transfer.orders == ["start", "pause", "resume"] && stream.pipe.queue.level == .middle)
        let second = FakeResponse()
        #expect(stream.resume(after: 4, second) == nil)
        #expect(second.text == numbers(5...20))
        second.openRoom = 0
        stream.responseBlocked()
        bench.transfer.send(numbers(21...23))
        #expect(
            bench.transfer.orders == ["start", "pause", "resume", "pause"], "the client's own buffer applies again")
        second.disconnect()
        #expect(bench.transfer.orders.last == "resume")
    }

    @Test func aFailureOfTheUpstreamIsReportedToTheClientThatReturns() throws {
        let bench = try bench()
        let (stream, first) = try bench.open([("Prefer", "stream-notices")])
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        first.disconnect()
        bench.transfer.send("2\n3")
        bench.transfer.end(.failed(.reset("reset")))
        #expect(bench.host.ends.isEmpty)
        let second = FakeResponse()
        #expect(stream.resume(after: 1, second) == nil)
        #expect(second.text.hasPrefix("2\n{") && second.text.contains("bad-upstream") && second.isBroken)
        second.finish()
        #expect(try bench.logLine()["reason"] as? String == "upstream_failed")
    }

    @Test func aClientThatIsGoneIsNotASlowConsumer() throws {
        let bench = try bench {
            $0.stallTimeout = .init()
            $0.breaker?.failures = 1
            $0.timeouts.pause = .seconds(5)
        }
        let (_, first) = try bench.open()
        bench.transfer.sendHead()
        first.disconnect()
        bench.transfer.send(numbers(1...30))
        bench.advance(by: .milliseconds(30_001))
        #expect(bench.host.ends.map(\.hasExpired) == [true] && bench.tally.disconnects[.slowConsumer] == 0)
        _ = try bench.open()
    }

    @Test func aClientThatReturnsHasTheWindowToCatchUp() throws {
        let bench = try bench { $0.stallTimeout?.after = .seconds(2) }
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        first.disconnect()
        bench.transfer.send(numbers(1...15))
        let second = FakeResponse()
        (second.openRoom, second.taken) = (0, .zero)
        #expect(stream.resume(after: 0, second) == nil)
        stream.responseBlocked()
        for taken in 1...20 {  // slowly, while its queue is far over the four records that it was granted
            bench.advance(by: .seconds(1))
            second.taken = ByteCount(taken)
        }
        #expect(bench.host.ends.isEmpty && stream.pipe.queue.records == 15)
        bench.advance(by: .seconds(3))
        #expect(second.isAborted && bench.host.ends.count == 1, "it must read")
    }

    @Test func beforeTheHeadThereIsNothingToComeBackTo() throws {
        let bench = try bench()
        let (_, first) = try bench.open(Self.mine)
        first.disconnect()
        #expect(bench.transfer.isCancelled && bench.host.ends.count == 1 && bench.host.detached.isEmpty)
    }

    @Test func whatIsReadMeanwhileIsChargedWhenItIsSent() throws {
        let bench = try bench { $0.streams.clientRecords = .init(rate: Rate("1/hour"), burst: 3) }
        let (stream, first) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        first.disconnect()
        bench.transfer.send(numbers(2...10))
        bench.transfer.end()
        let second = FakeResponse()
        #expect(stream.resume(after: 1, second) == nil)
        #expect(second.text == numbers(2...3) && !second.hasEnded, "two were left")
    }

    // MARK: Last-Event-ID

    @Test func theRestFollowsTheEventThatTheClientHas() throws {
        let bench = try bench()
        let (stream, first) = try bench.open(Self.mine)
        bench.transfer.sendHead(200, Self.sse)
        bench.transfer.send(events(1...3))
        first.disconnect()
        #expect(stream.request.resumption != nil && !bench.host.detached.isEmpty)
        bench.transfer.send(events(4...6))
        for unknown in ["4", "x", ""] { #expect(!stream.resume(afterEvent: key(unknown), FakeResponse())) }
        let second = FakeResponse()
        #expect(stream.resume(afterEvent: key("2"), second))
        #expect(second.text == events(3...6) && second.headers["x-stream-id"] == [stream.id.text])
        #expect(bench.host.detached.isEmpty)
        #expect(!stream.resume(afterEvent: key("2"), FakeResponse()), "another page of the same user has it")
    }

    @Test(arguments: [
        ([("Content-Type", "text/event-stream"), ("Vary", "Accept, X-Tenant")], [("Authorization", "Bearer me")]),
        ([("Content-Type", "text/event-stream"), ("Vary", "*")], [("Authorization", "Bearer me")]),
        ([("Content-Type", "application/x-ndjson")], [("Authorization", "Bearer me")]),
        ([("Content-Type", "text/event-stream")], []),
    ])
    func otherStreamsCannotBeFound(fields: [(String, String)], request: [(String, String)]) throws {
        let bench = try bench()
        let (stream, first) = try bench.open(request)
        bench.transfer.sendHead(200, fields)
        bench.transfer.send(events(1...3))
        first.disconnect()
        #expect(stream.status == .resumable && bench.host.detached.isEmpty)
    }

    @Test func aRouteThatOnlyWaitsPassesTheIdOn() throws {
        let bench = try bench { $0.onClientGone = .wait }
        let (stream, _) = try bench.open(Self.mine)
        #expect(stream.request.resumption == nil)
    }
}
