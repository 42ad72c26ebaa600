import Flow
import NIOHTTP1
import Observability
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy
@testable import Upstream

/// Every action of the machine reaches its port, and every event the machine.
struct StreamTests {
    // MARK: From the upstream to the client

    @Test func recordsPassFromTheUpstreamToTheClient() throws {
        let bench = try StreamBench()
        let (stream, response) = try bench.open()
        #expect(bench.transfer.orders == ["start"])
        bench.transfer.sendHead()
        #expect(response.status == .ok && response.headers["x-stream-id"] == [stream.id.text])
        bench.transfer.send(["1", "2"].lines)
        #expect(response.text == "1\n2\n" && stream.account.totals.records == 2)
        bench.transfer.end()
        #expect(response.hasEnded && !response.isBroken)
        response.finish()
        #expect(bench.host.ends.map(\.id) == [stream.id] && bench.admission.openStreams == 0)
        let line = try bench.logLine()
        #expect(line["reason"] as? String == "completed" && line["records"] as? Int == 2)
    }

    @Test func aResponseThatIsNoStreamPassesUnchanged() throws {
        let bench = try StreamBench()
        let (stream, response) = try bench.open()
        bench.transfer.sendHead(404, [("Content-Type", "text/plain"), ("Content-Length", "5")])
        #expect(bench.admission.openStreams == 0, "it holds no stream's slot")
        bench.transfer.send("hello")
        bench.transfer.end()
        response.finish()
        #expect(response.text == "hello" && response.bodyLength == .length && !stream.isStream)
        #expect(response.headers["x-stream-id"].isEmpty && bench.host.registered.isEmpty)
    }

    @Test func anInformationalHeadPassesWithoutALength() throws {
        let bench = try StreamBench()
        let (_, response) = try bench.open()
        bench.transfer.delegate?.transferInterim(
            UpstreamResponseHead(status: 103, reason: "Early Hints", headers: ["Content-Length": "3"]))
        #expect(response.interim.map(\.code) == [103] && response.status == nil)
    }

    @Test func trailersFollowAStreamIfTheClientAcceptsThem() throws {
        let bench = try StreamBench()
        let (_, response) = try bench.open()
        response.canSendTrailers = true
        bench.transfer.sendHead(200, [("Content-Type", "application/x-ndjson"), ("Trailer", "Digest")])
        #expect(response.headers["trailer"] == ["Digest, X-Stream-Status, X-Stream-Items"])
        bench.transfer.send("1\n")
        bench.transfer.delegate?.transferTrailers(["Digest": "a", "Content-Length": "3"])
        bench.transfer.end()
        #expect(response.trailers["digest"] == ["a"] && response.trailers["content-length"].isEmpty)
        #expect(response.trailers["x-stream-status"] == ["complete"] && response.trailers["x-stream-items"] == ["1"])
    }

    // MARK: Pause and resume

    @Test func aFullQueuePausesTheUpstreamAndALowOneResumesIt() throws {
        let bench = try StreamBench { $0.policy.defaultBuffer = 4 }
        let (stream, response) = try bench.open()
        bench.transfer.sendHead()
        response.openRoom = 0
        stream.responseBlocked()
        bench.transfer.send(["1", "2", "3", "4", "5"].lines)
        #expect(bench.transfer.orders == ["start", "pause"])
        #expect(stream.status == .slow && bench.tally.pauses[.client] == 1)
        response.makeRoom()
        #expect(bench.transfer.orders == ["start", "pause", "resume"])
        #expect(response.text == ["1", "2", "3", "4", "5"].lines && bench.host.bufferedBytes == 0)
    }

    @Test func recordsLeaveAtThePaceAndNotBefore() throws {
        let bench = try StreamBench()
        let (stream, response) = try bench.open([("X-Stream-Rate-Limit", "10/second")])
        bench.transfer.sendHead()
        #expect(response.isMetered == true)
        bench.transfer.send(["1", "2", "3"].lines)
        #expect(response.text == "1\n")
        bench.advance(by: .milliseconds(99))
        #expect(response.text == "1\n")
        bench.advance(by: .milliseconds(2))
        #expect(response.text == "1\n2\n")
        bench.advance(by: .milliseconds(100))
        #expect(response.text == "1\n2\n3\n" && stream.machine.pauses == 0)
    }

    @Test func aClientThatDoesNotReadEndsTheStreamAsSlow() throws {
        let bench = try StreamBench {
            $0.policy.defaultBuffer = 2
            $0.stallTimeout = .init()
            $0.stallTimeout?.after = .seconds(3)
        }
        let (stream, response) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        (response.openRoom, response.taken, response.pendingBytes) = (0, .zero, ByteCount(2))
        stream.responseBlocked()
        bench.transfer.send(["2", "3", "4"].lines)
        bench.advance(by: .seconds(4))
        #expect(response.isAborted && bench.transfer.isCancelled)
        #expect(bench.tally.disconnects[.slowConsumer] == 1 && bench.host.bufferedBytes == 0)
        #expect(try bench.logLine()["reason"] as? String == "slow_consumer")
    }

    @Test func aClientThatPrefersNoticesGetsTheReasonForTheEnd() throws {
        let bench = try StreamBench()
        let (stream, response) = try bench.open([("Prefer", "stream-notices")])
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        bench.transfer.end(.failed(.reset("reset")))
        #expect(response.isBroken && !response.isAborted)
        #expect(response.text.hasPrefix("1\n") && response.text.contains("bad-upstream"))
        #expect(response.text.contains(stream.id.text))
    }

    @Test func aLossIsReportedBeforeTheNextRecord() throws {
        let bench = try StreamBench {
            $0.policy.defaultBuffer = 2
            $0.overflow = .dropOldest
        }
        let (stream, response) = try bench.open([("Prefer", "stream-notices")])
        bench.transfer.sendHead()
        response.openRoom = 0
        stream.responseBlocked()
        bench.transfer.send(["1", "2", "3", "4"].lines)
        response.makeRoom()
        let lines = response.text.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].contains("\"records\":2") && lines[1...] == ["3", "4"])
        #expect(bench.transfer.orders == ["start"], "a queue that drops pauses nothing")
    }

    // MARK: The upstream fails

    @Test func withoutAHeadTheClientGetsAProblem() throws {
        let bench = try StreamBench()
        let (_, response) = try bench.open()
        bench.transfer.end(.failed(.unreachable("refused")))
        #expect(response.status?.code == 502 && response.text.contains("bad-upstream") && response.hasEnded)
        #expect(bench.admission.openRequests == 0 && bench.tally.refusals[.badUpstream] == 1)
    }

    @Test func withoutMemoryForATransferTheClientGetsAProblem() throws {
        let bench = try StreamBench()
        bench.host.hasNoMemory = true
        let (_, response) = try bench.open()
        #expect(response.status?.code == 502 && bench.host.ends.count == 1 && bench.admission.openRequests == 0)
    }

    @Test func aRecordThatIsTooLongEndsTheStreamAfterThoseBeforeIt() throws {
        let bench = try StreamBench { $0.policy.maximumRecordBytes = ByteCount(16) }
        let (_, response) = try bench.open()
        bench.transfer.sendHead()
        let transfer = bench.transfer
        transfer.send("1\n" + String(repeating: "x", count: 40))
        response.makeRoom()  // the turn has written the first
        #expect(transfer.isCancelled && response.text == "1\n" && response.isBroken)
        #expect(bench.tally.failed[.oversized] == 1)
    }

    @Test func anUpstreamThatDoesNotBeginIsCancelledInTime() throws {
        let bench = try StreamBench { $0.timeouts.firstByte = .seconds(2) }
        let (_, response) = try bench.open()
        bench.advance(by: .milliseconds(2001))
        #expect(bench.transfer.isCancelled && response.status?.code == 504)
    }

    @Test func halfARecordOfABrokenStreamIsNotSent() throws {
        let bench = try StreamBench()
        let (_, response) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send("1\n{\"half")
        bench.transfer.end(.failed(.reset("reset")))
        #expect(response.text == "1\n" && response.isBroken)
    }

    // MARK: The shared budget

    @Test func streamsOfOneClientShareItsBudget() throws {
        let bench = try StreamBench { $0.streams.clientRecords = .init(rate: Rate("10/second")) }
        let (_, first) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send((1...40).map(String.init).lines)
        let atOnce = first.text.split(separator: "\n").count
        #expect(atOnce > 0 && atOnce < 40)
        bench.advance(by: .seconds(1))
        let later = first.text.split(separator: "\n").count
        #expect((atOnce + 8...atOnce + 12).contains(later))
    }

    @Test func aStreamContinuesWithoutABudgetThatAReloadRemoves() throws {
        let bench = try StreamBench { $0.streams.clientRecords = .init(rate: Rate("1/second")) }
        let (_, response) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send((1...40).map(String.init).lines)
        var rules = bench.route.gate.rules
        rules.clientRecords = nil
        bench.route.gate.apply(rules, upstreams: bench.route.upstreams, at: bench.host.now())
        bench.advance(by: .seconds(40))
        #expect(response.text.split(separator: "\n").count == 40)
    }

    /// What a client owes is known to its other streams at once, and delays its next start for as long as is reported.
    @Test(arguments: [false, true]) func theDebtOfAStreamIsPaidByTheNextStart(disconnects: Bool) throws {
        let bench = try StreamBench {
            $0.streams.clientRecords = .init(rate: Rate("10/second"))
            $0.weight = Route.Weight(pointer: "/n")
            $0.weight?.isCumulative = true
        }
        let (stream, response) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send("{}\n{}\n{\"n\":310}\n[DONE]\n")
        #expect(response.text == "{}\n{}\n{\"n\":310}\n")
        let wait = try #require(refusal(of: stream, on: bench)).retryAfter
        #expect(wait > .seconds(29) && wait <= .seconds(32))
        if disconnects { response.disconnect() } else { bench.transfer.end() }
        #expect(disconnects || response.text.hasSuffix("[DONE]\n"))
        response.finish()
        let later = try #require(refusal(of: stream, on: bench)).retryAfter
        bench.advance(by: later - .milliseconds(1))
        #expect(refusal(of: stream, on: bench) != nil)
        bench.advance(by: .milliseconds(1))
        #expect(refusal(of: stream, on: bench) == nil)
    }

    /// Why the client's next start is rejected now.
    private func refusal(of stream: Proxy.Stream, on bench: StreamBench) -> AdmissionError? {
        do throws(AdmissionError) {
            _ = try bench.route.gate.admit(stream.request.key, at: bench.host.now())
            return nil
        } catch {
            return error
        }
    }

    @Test func aClientThatLeavesPaysForWhatWasCounted() throws {
        let bench = try StreamBench {
            $0.streams.clientRecords = .init(rate: Rate("10/second"))
            $0.weight = Route.Weight(pointer: "/n")
        }
        let (stream, response) = try bench.open()
        bench.transfer.sendHead()
        bench.transfer.send("{}\n{\"n\":6}\n")
        response.disconnect()
        let left = bench.route.gate.withState {
            $0.budgets.quotas(of: stream.request.key, in: nil, at: bench.host.now())
        }
        #expect(left.rate?.remaining == 3)
        #expect(try bench.logLine()["units"] as? Int == 7)
    }

    @Test func theUnitsOfARouteDoNotOverflow() throws {
        let bench = try StreamBench { $0.weight = Route.Weight(pointer: "/n") }
        let (_, response) = try bench.open()
        let metrics = bench.host.metrics(of: bench.route)
        metrics.tally.units = .max
        bench.transfer.sendHead()
        bench.transfer.send("{\"n\":6}\n")
        response.disconnect()
        #expect(metrics.tally.units == .max)
    }

    // MARK: Smooth pace

    @Test func burstsAreSpreadAndNotTheFirst() throws {
        let bench = try StreamBench { $0.spread = .seconds(1) }
        let (_, response) = try bench.open()
        bench.transfer.sendHead()
        func lines() -> Int { response.text.split(separator: "\n").count }
        bench.transfer.send((1...10).map(String.init).lines)
        #expect(lines() == 10)
        bench.advance(by: .milliseconds(500))
        bench.transfer.send((1...10).map(String.init).lines)
        #expect(lines() == 11)
        bench.advance(by: .milliseconds(100))
        #expect(lines() == 13)
        bench.transfer.end()
        bench.advance(by: .milliseconds(400))
        #expect(lines() == 20 && response.hasEnded)
    }

    @Test func aBurstThatFillsTheBufferIsNotSpread() throws {
        let bench = try StreamBench {
            $0.spread = .seconds(1)
            $0.policy.defaultBuffer = 5
        }
        let (_, response) = try bench.open()
        bench.transfer.sendHead()
        for _ in 0..<3 {
            bench.transfer.send((1...50).map(String.init).lines)
            bench.advance(by: .milliseconds(500))
        }
        #expect(response.text.split(separator: "\n").count == 150 && !bench.transfer.orders.contains("pause"))
    }

    // MARK: Heartbeats

    @Test func aQuietStreamOfEventsGetsComments() throws {
        let bench = try StreamBench { $0.heartbeat = .seconds(1) }
        let (_, response) = try bench.open()
        bench.transfer.sendHead(200, [("Content-Type", "text/event-stream")])
        bench.advance(by: .milliseconds(1001))
        #expect(response.text == ":\n\n")
        response.openRoom = 0
        bench.advance(by: .seconds(3))
        #expect(response.text == ":\n\n", "not while the client does not read")
    }

    @Test func aStreamThatEndsDuringAHeartbeatSetsNoTimer() throws {
        let bench = try StreamBench { $0.heartbeat = .seconds(1) }
        let (stream, response) = try bench.open()
        bench.transfer.sendHead(200, [("Content-Type", "text/event-stream")])
        response.roomIsRead = { [unowned response] in response.disconnect() }
        bench.advance(by: .milliseconds(1001))
        withExtendedLifetime(stream) {
            #expect(bench.host.ends.count == 1 && bench.host.timers.count == 0)
        }
    }

    @Test func linesThatWaitForTheirPaceAreNoSilence() throws {
        let bench = try StreamBench { $0.heartbeat = .seconds(1) }
        let (_, response) = try bench.open([("X-Stream-Rate-Limit", "1/minute")])
        bench.transfer.sendHead()
        bench.transfer.send("1\n2\n")
        bench.advance(by: .milliseconds(2500))
        #expect(response.text == "1\n\n\n")
        bench.advance(by: .seconds(58))
        #expect(response.text.split(separator: "\n") == ["1", "2"])
    }

    @Test func aSequenceGetsNoHeartbeat() throws {
        let bench = try StreamBench { $0.heartbeat = .seconds(1) }
        let (_, response) = try bench.open()
        bench.transfer.sendHead(200, [("Content-Type", "application/json-seq")])
        bench.advance(by: .seconds(5))
        #expect(response.text.isEmpty)
    }

    // MARK: Ended from outside

    @Test(arguments: [false, true])
    func anOperatorEndsAStream(hasHead: Bool) throws {
        let bench = try StreamBench()
        let (stream, response) = try bench.open()
        if hasHead { bench.transfer.sendHead() }
        stream.end(.cancelled, problem: .endedByOperator)
        stream.end(.drained)
        #expect(bench.transfer.isCancelled && response.hasEnded && bench.host.ends.count == 1)
        #expect(response.status?.code == (hasHead ? 200 : 503) && response.isBroken == hasHead)
        #expect(try bench.logLine()["reason"] as? String == "cancelled")
    }

    @Test func afterTheEndNoTimerFires() throws {
        let bench = try StreamBench { $0.heartbeat = .seconds(1) }
        let (stream, response) = try bench.open([("X-Stream-Rate-Limit", "1/second")])
        bench.transfer.sendHead(200, [("Content-Type", "text/event-stream")])
        bench.transfer.send("data: 1\n\ndata: 2\n\n")
        stream.end(.drained)
        let text = response.text
        let timers = bench.host.timers.count
        bench.advance(by: .seconds(5))
        #expect(response.text == text && timers == 0 && bench.host.ends.count == 1)
    }
}
