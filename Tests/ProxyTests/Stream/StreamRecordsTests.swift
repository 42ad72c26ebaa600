import Flow
import NIOHTTP1
import Observability
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy
@testable import Upstream

/// What a route requires of an upstream's records.
struct StreamRecordsTests {
    private let events = [("Content-Type", "text/event-stream")]

    /// Two upstreams, and a first record within two seconds.
    private func bench(_ change: (inout Route) -> Void = { _ in }) throws -> StreamBench {
        try StreamBench {
            $0.upstreams.append(UpstreamAddress(host: "127.0.0.1", port: 2))
            $0.timeouts.firstRecord = .seconds(2)
            change(&$0)
        }
    }

    // MARK: The first record

    @Test func theHeadIsSentWithTheFirstRecord() throws {
        let bench = try bench()
        let (_, response) = try bench.open()
        bench.transfer.sendHead(200, events)
        bench.transfer.send(": ping\n\ndata: ")
        #expect(response.status == nil)
        bench.transfer.send("1\n\n")
        #expect(response.status == .ok && response.text == ": ping\n\ndata: 1\n\n")
        bench.transfer.end()
        response.finish()
        #expect(bench.host.ends.count == 1 && bench.host.bufferedBytes == 0)
    }

    @Test func anUpstreamThatSendsOnlyCommentsIsReplacedByAnother() throws {
        let bench = try bench()
        let (stream, response) = try bench.open()
        bench.transfer.sendHead(200, events)
        for _ in 0..<5 {
            bench.transfer.send(": ping\n\n")
            bench.advance(by: .milliseconds(350))
        }
        bench.advance(by: .milliseconds(250))
        #expect(bench.host.transfers.count == 2 && bench.host.transfers[0].isCancelled && response.status == nil)
        #expect(Set(bench.host.upstreams).count == 2)
        bench.transfer.sendHead(200, events)
        bench.advance(by: .milliseconds(1900))
        bench.transfer.send("data: 1\n\n")
        #expect(response.text == "data: 1\n\n", "nothing of the first attempt, and its own two seconds")
        bench.transfer.end()
        response.finish()
        #expect(stream.account.totals.attempts == 2 && bench.host.ends.count == 1)
    }

    @Test func withoutAnotherUpstreamTheClientGetsAProblem() throws {
        let bench = try bench()
        let (_, response) = try bench.open()
        for _ in 0..<2 {
            bench.transfer.sendHead(200, events)
            bench.advance(by: .seconds(2))
        }
        #expect(response.status == .gatewayTimeout && response.text.contains("sent no record in time"))
        #expect(bench.host.ends.count == 1 && bench.host.bufferedBytes == 0 && bench.admission.openRequests == 0)
        #expect(try bench.logLine()["reason"] as? String == "upstream_timeout")
    }

    @Test func anUpstreamThatSendsNoHeadIsReplacedAsWell() throws {
        let bench = try bench()
        _ = try bench.open()
        bench.advance(by: .seconds(2))
        #expect(bench.host.transfers.count == 2)
    }

    @Test func aRequestWithEffectsIsNotSentTwice() throws {
        let bench = try bench()
        let (_, response) = try bench.open(method: .POST)
        bench.transfer.sendHead(200, events)
        bench.advance(by: .seconds(2))
        #expect(bench.host.transfers.count == 1 && response.status == .gatewayTimeout)
    }

    @Test func aConnectionThatFailsBeforeTheFirstRecordIsReplaced() throws {
        let bench = try bench()
        let (_, response) = try bench.open()
        bench.transfer.sendHead(200, events)
        bench.transfer.send("data: 1")
        bench.transfer.end(.failed(.reset("reset")))
        bench.transfer.sendHead(200, events)
        bench.transfer.send("data: 2\n\n")
        #expect(response.text == "data: 2\n\n")
    }

    @Test func aResponseWithoutRecordsIsComplete() throws {
        let bench = try bench()
        let (_, response) = try bench.open()
        bench.transfer.sendHead(200, events)
        bench.transfer.send(": bye\n\n")
        bench.transfer.end()
        response.finish()
        #expect(response.status == .ok && response.text == ": bye\n\n" && response.hasEnded && !response.isBroken)
    }

    @Test func aResponseThatIsNoStreamIsNotWithheld() throws {
        let bench = try bench()
        let (_, response) = try bench.open()
        bench.transfer.sendHead(200, [("Content-Type", "text/plain"), ("Content-Length", "1")])
        #expect(response.status == .ok)
        bench.advance(by: .seconds(3))
        #expect(bench.host.transfers.count == 1 && bench.host.ends.isEmpty)
    }

    @Test func whatIsWithheldIsBoundedAndCounted() throws {
        let bench = try bench { $0.policy.maximumBytes = ByteCount(100) }
        let (_, response) = try bench.open()
        bench.transfer.sendHead(200, events)
        let comment = ": 345678\n\n"
        for _ in 0..<10 { bench.transfer.send(comment) }
        #expect(response.status == nil && bench.host.bufferedBytes == 100)
        bench.transfer.send(comment)
        #expect(response.status == .ok && response.text.utf8.count == 110)
        bench.advance(by: .seconds(2))
        #expect(response.isBroken, "the client has the head, so that no other upstream is tried")
    }

    @Test func aClientThatLeavesBeforeTheFirstRecordEndsTheStream() throws {
        let bench = try bench()
        let (_, response) = try bench.open()
        bench.transfer.sendHead(200, events)
        bench.transfer.send(": ping\n\n")
        response.disconnect()
        bench.advance(by: .seconds(3))
        #expect(bench.transfer.isCancelled && bench.host.ends.count == 1 && bench.host.bufferedBytes == 0)
    }

    // MARK: Between two records

    @Test func anUpstreamThatSendsOnlyCommentsHasStopped() throws {
        let bench = try StreamBench { $0.timeouts.betweenRecords = .seconds(1) }
        let (_, response) = try bench.open()
        bench.transfer.sendHead(200, events)
        bench.advance(by: .seconds(2))
        bench.transfer.send("data: 1\n\n")
        for _ in 0..<3 {
            bench.advance(by: .milliseconds(300))
            bench.transfer.send(": ping\n\n")
        }
        bench.transfer.send("data: 2\n\n")
        bench.advance(by: .milliseconds(900))
        #expect(bench.host.ends.isEmpty)
        bench.transfer.send(": ping\n\n")
        bench.advance(by: .milliseconds(200))
        #expect(response.isBroken && bench.transfer.isCancelled)
        response.finish()
        #expect(try bench.logLine()["reason"] as? String == "upstream_timeout")
    }

    // MARK: The end record

    @Test func aStreamWithItsEndRecordIsComplete() throws {
        let bench = try StreamBench { $0.endRecord = .data("[DONE]") }
        let (_, response) = try bench.open()
        bench.transfer.sendHead(200, events)
        bench.transfer.send("data: 1\n\ndata: [DONE]\n\n")
        bench.transfer.end()
        response.finish()
        #expect(response.hasEnded && !response.isBroken)
        #expect(try bench.logLine()["reason"] as? String == "completed")
    }

    @Test func aStreamThatEndsWithoutItIsNot() throws {
        let bench = try StreamBench { $0.endRecord = .pointer("/type", value: "message_stop") }
        let (_, response) = try bench.open([("Prefer", "stream-notices")])
        bench.transfer.sendHead()
        bench.transfer.send("{\"type\":\"delta\"}\n{\"type\":\"other\"")
        bench.transfer.end()
        response.finish()
        #expect(response.isBroken && response.text.hasPrefix("{\"type\":\"delta\"}\n{\"type\":\"https://"))
        let line = try bench.logLine()
        #expect(line["reason"] as? String == "upstream_failed" && line["problem"] as? String == "bad-upstream")
        #expect(line["upstream_error"] as? String == "the stream ended without its end record")
    }

    @Test func theValueAtAPointerEndsAStream() throws {
        let bench = try StreamBench { $0.endRecord = .pointer("/done", value: "true") }
        let (_, response) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send("{\"done\":false}\n{\"done\":true}\n")
        bench.transfer.end()
        #expect(response.hasEnded && !response.isBroken)
    }

    @Test func anEmptyStreamWithoutItsEndRecordIsRetried() throws {
        let bench = try bench { $0.endRecord = .data("[DONE]") }
        let (_, response) = try bench.open()
        for _ in 0..<2 {
            bench.transfer.sendHead(200, events)
            bench.transfer.end()
        }
        #expect(bench.host.transfers.count == 2 && response.status == .badGateway)
    }
}
