import Flow
import NIOCore
import NIOHTTP1
import Settings
import TestSupport
import Testing
import Upstream

@testable import Downstream
@testable import Proxy

struct PromiseTests {
    private let async = [("Prefer", "respond-async")]

    private func bench(_ change: (inout Route) -> Void = { _ in }) throws -> StreamBench {
        try StreamBench {
            $0.async = Route.Async()
            change(&$0)
        }
    }

    /// A stream that was promised because its head did not arrive in time.
    private func promised(_ bench: StreamBench) throws -> (Proxy.Stream, FakeResponse) {
        let (stream, response) = try bench.open([("Prefer", "respond-async, wait=1")])
        bench.advance(by: .milliseconds(1001))
        return (stream, response)
    }

    /// A stream that was promised because it could not be admitted.
    private func waiting(_ bench: StreamBench) throws -> (Proxy.Stream, FakeResponse) {
        let response = FakeResponse()
        let stream = Stream(try bench.request(async), to: response, on: bench.host, at: bench.host.now())
        bench.host.opened(stream)
        #expect(stream.waitForAdmission(.tooManyStreamsOfClient(limit: 1)))
        return (stream, response)
    }

    @Test func aHeadInTimeNeedsNoPromise() throws {
        let bench = try bench()
        let (stream, response) = try bench.open([("Prefer", "respond-async, wait=1")])
        bench.transfer.sendHead()
        bench.advance(by: .seconds(2))
        #expect(response.status == .ok && stream.promise?.isMade == false)
    }

    @Test func aClientThatWaitsForTooLongIsAnsweredAndFetchesTheResponse() throws {
        let bench = try bench()
        let (stream, response) = try promised(bench)
        #expect(response.status == .accepted && response.headers["location"].count == 1)
        #expect(stream.status == .pending && bench.host.registered == [stream.id])
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        #expect(stream.status == .ready)
        let fetching = FakeResponse()
        stream.attach(fetching)
        #expect(fetching.status == .ok && fetching.text == "1\n" && stream.promise?.isMade == false)
    }

    @Test func aPromiseIsCountedUntilItIsKept() throws {
        let bench = try bench { $0.async?.perClient = 1 }
        let (stream, _) = try promised(bench)
        let (_, second) = try promised(bench)
        #expect(second.status == nil, "the client has as many as it may have")
        bench.host.transfers[0].sendHead()
        stream.attach(FakeResponse())
        let (_, third) = try promised(bench)
        #expect(third.status == .accepted)
    }

    @Test func aConnectionThatFailsAsItIsReadAgainDoesNotEndThePromise() throws {
        let bench = try bench()
        let source = FakeBodySource(bench.host)
        let fields = [("Content-Length", "1"), ("Prefer", "respond-async, wait=1")]
        let body = RequestBody(of: try Request.of(.POST, "/", fields), from: source)
        let (stream, response) = try bench.open(fields, method: .POST, body: body)
        body.arrived(.init(string: "x"))
        body.ended()
        source.readsOn = { response.disconnect() }
        bench.advance(by: .milliseconds(1001))
        #expect(source.readsOn == nil && stream.promise?.isMade == true && bench.host.ends.isEmpty)
        bench.transfer.sendHead()
        let fetching = FakeResponse()
        stream.attach(fetching)
        #expect(fetching.status == .ok && stream.promise?.isMade == false)
    }

    @Test func aProxyThatStopsPromisesNothing() throws {
        let bench = try bench()
        bench.host.isDraining = true
        let (_, response) = try promised(bench)
        #expect(response.status == nil)
    }

    @Test func aFailureIsKeptForTheClient() throws {
        let bench = try bench()
        let (stream, _) = try promised(bench)
        bench.transfer.end(.failed(.unreachable("refused")))
        #expect(stream.status == .failed && bench.host.ends.isEmpty)
        let fetching = FakeResponse()
        stream.attach(fetching)
        #expect(fetching.status?.code == 502 && bench.host.ends.count == 1)
    }

    @Test func aResponseThatIsNotFetchedExpires() throws {
        let bench = try bench { $0.async?.expiry = .seconds(5) }
        let (_, _) = try promised(bench)
        bench.transfer.sendHead()
        bench.advance(by: .milliseconds(5001))
        #expect(bench.host.ends.map(\.hasExpired) == [true] && bench.transfer.isCancelled)
        #expect(bench.admission.openRequests == 0)
    }

    @Test func anUpstreamThatDoesNotBeginFailsAPromise() throws {
        let bench = try bench { $0.timeouts.firstByte = .seconds(3) }
        let (stream, _) = try promised(bench)
        bench.advance(by: .seconds(3))
        #expect(stream.status == .failed && bench.transfer.isCancelled)
    }

    // MARK: Not admitted yet

    @Test func aStreamWithoutASlotIsAdmittedWhenThereIsOne() throws {
        let bench = try bench { $0.streams.perClient = 1 }
        let (first, firstResponse) = try bench.open()
        let (stream, response) = try waiting(bench)
        #expect(response.status == .accepted && stream.status == .waiting)
        bench.advance(by: .seconds(1))
        #expect(bench.host.transfers.count == 1)
        firstResponse.disconnect()
        #expect(first.machine.isFinished)
        bench.advance(by: .milliseconds(260))
        #expect(bench.host.transfers.count == 2 && stream.status == .pending)
        bench.transfer.sendHead()
        #expect(stream.status == .ready)
    }

    @Test func aFullProxyIsTriedAgain() throws {
        let bench = try bench()
        bench.host.isFull = true
        let (stream, _) = try waiting(bench)
        bench.advance(by: .seconds(3))
        #expect(stream.status == .waiting)
        bench.host.isFull = false
        bench.advance(by: .milliseconds(1100))
        #expect(stream.status == .pending)
    }

    @Test func aStreamThatIsNotAdmittedInTimeExpires() throws {
        let bench = try bench {
            $0.streams.perClient = 1
            $0.async?.expiry = .seconds(5)
        }
        _ = try bench.open()
        let (stream, _) = try waiting(bench)
        bench.advance(by: .milliseconds(5300))
        #expect(stream.machine.isFinished && bench.host.ends.map(\.hasExpired) == [true])
        #expect(bench.host.timers.count == 1, "the timer of the other stream")
    }

    @Test func feedbackBeforeTheAdmissionCounts() throws {
        let bench = try bench { $0.streams.perClient = 1 }
        let (_, firstResponse) = try bench.open()
        let (stream, _) = try waiting(bench)
        stream.apply(Feedback.with { $0.isPaused = true })
        firstResponse.disconnect()
        bench.advance(by: .milliseconds(260))
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        let fetching = FakeResponse()
        stream.attach(fetching)
        #expect(fetching.status == .ok && fetching.text.isEmpty && stream.status == .held)
    }
}
