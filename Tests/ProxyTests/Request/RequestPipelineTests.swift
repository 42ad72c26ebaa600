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

@Suite struct RequestPipelineTests {
    // MARK: By the head

    @Test func aTunnelIsRefused() throws {
        _ = try PipelineBench().expectRefusal(
            of: .of(.CONNECT, "example.com:443"), 501, .notImplemented, route: nil)
    }

    @Test(arguments: [("/", nil), ("/", "a b"), ("no-path", "example.com")] as [(String, String?)])
    func aMalformedHostOrTargetIsRefusedAndTheConnectionCloses(uri: String, host: String?) throws {
        let answer = try PipelineBench().expectRefusal(of: .of(.GET, uri, host: host), 400, .invalidRequest, route: nil)
        #expect(answer.closesAfterwards)
    }

    @Test func theHealthPageIsPassedOnEvenWhileDraining() throws {
        let bench = try PipelineBench()
        bench.test.readiness.becameReady()
        _ = bench.test.readiness.beganDraining()
        _ = bench.send(try .of(.GET, "/v1/health/streaming"))
        #expect(bench.destination.calls == ["health"])
    }

    @Test func aProxyThatDrainsRefuses() throws {
        let bench = try PipelineBench()
        bench.test.readiness.becameReady()
        _ = bench.test.readiness.beganDraining()
        _ = try bench.expectRefusal(of: .of(), 503, .unavailable, route: nil)
        #expect(bench.metrics.route(nil).tally.faults == 1)
    }

    @Test func anUnknownExpectationIsRefused() throws {
        _ = try PipelineBench().expectRefusal(of: .of(.GET, "/", [("Expect", "tea")]), 417, .invalidRequest, route: nil)
    }

    @Test func anAddressOfAStreamIsPassedOn() throws {
        let bench = try PipelineBench()
        let id = String(repeating: "1", count: 32)
        #expect(!bench.send(try .of(.GET, "/v1/streams/\(id)")).hasHead)
        #expect(bench.destination.calls == ["address"])
        _ = try bench.expectRefusal(of: .of(.GET, "/v1/streams/nothing"), 404, .notFound, route: nil)
    }

    @Test func aPathWithoutARouteIsRefused() throws {
        let bench = try PipelineBench(.oneRoute { $0.match.path = "/orders" })
        _ = try bench.expectRefusal(of: .of(.GET, "/other"), 404, .notFound, route: nil)
    }

    // MARK: By the route

    @Test func aBodyOfHEADIsRefused() throws {
        _ = try PipelineBench().expectRefusal(of: .of(.HEAD, "/", [("Content-Length", "1")]), 501, .notImplemented)
    }

    @Test func aBodyThatIsTooLargeIsRefusedByItsLength() throws {
        let bench = try PipelineBench(.oneRoute { $0.maximumBodyBytes = ByteCount(10) })
        _ = bench.send(try .of(.POST, "/", [("Content-Length", "10")]))
        #expect(bench.destination.calls == ["start"])
        let second = try PipelineBench(.oneRoute { $0.maximumBodyBytes = ByteCount(10) })
        _ = try second.expectRefusal(of: .of(.POST, "/", [("Content-Length", "11")]), 413, .tooLarge)
    }

    @Test func theLastHopAnswersOPTIONSItself() throws {
        let bench = try PipelineBench(.oneRoute { $0.match.methods = ["GET", "TRACE", "OPTIONS"] })
        let answer = bench.send(try .of(.OPTIONS, "/", [("Max-Forwards", "0")]))
        #expect(answer.status == .ok)
        #expect(answer.headers["allow"] == ["GET, OPTIONS"])
        #expect(bench.destination.calls.isEmpty)
        let lines = try bench.test.logLines()
        #expect(lines.map { $0["reason"] as? String } == ["completed"])
        #expect(lines.map { $0["status"] as? Int } == [200])
    }

    @Test func theLastHopRefusesTRACE() throws {
        let answer = try PipelineBench().expectRefusal(
            of: .of(.TRACE, "/", [("Max-Forwards", "0")]), 405, .invalidRequest)
        #expect(answer.headers["allow"].count == 1)
    }

    @Test func aMalformedMaxForwardsIsRefused() throws {
        _ = try PipelineBench().expectRefusal(of: .of(.OPTIONS, "/", [("Max-Forwards", "x")]), 400, .invalidRequest)
    }

    @Test(arguments: [("X-Stream-Rate-Limit", "fast"), ("X-Stream-Buffer-Size", "0")])
    func aMalformedNegotiationHeaderIsRefused(name: String, value: String) throws {
        let answer = try PipelineBench().expectRefusal(of: .of(.GET, "/", [(name, value)]), 400, .invalidRequest)
        #expect(answer.text.contains(name))
    }

    @Test func moreThanTheRouteAllowsIsRefusedIfThePolicySaysSo() throws {
        let bench = try PipelineBench(
            .oneRoute {
                $0.policy.maximumBuffer = 10
                $0.policy.overLimit = .reject
            })
        let answer = bench.send(try .of(.GET, "/", [("X-Stream-Buffer-Size", "11")]))
        #expect(answer.status?.code == 429)
        #expect(bench.destination.calls.isEmpty)
    }

    @Test func aRepeatedClientKeyIsRefusedAndAMissingOneIsShared() throws {
        let bench = try PipelineBench(.oneRoute { $0.clientKey = .header("X-Key") })
        _ = bench.send(try .of())
        #expect(bench.destination.started?.key == ClientKey(""))
        _ = try bench.expectRefusal(of: .of(.GET, "/", [("X-Key", "a"), ("X-Key", "b")]), 400, .invalidRequest)
    }

    @Test(arguments: [[""], ["x; after=1"], ["", ""]])
    func aMalformedResumptionIsRefused(values: [String]) throws {
        _ = try PipelineBench().expectRefusal(
            of: .of(.GET, "/", values.map { ("X-Stream-Resume", $0) }), 400, .invalidRequest)
    }

    @Test func aResumptionIsPassedOn() throws {
        let bench = try PipelineBench()
        let id = String(repeating: "1", count: 32)
        _ = bench.send(try .of(.GET, "/", [("X-Stream-Resume", "\(id); after=7")]))
        #expect(bench.destination.calls == ["resume after 7"])
        #expect(bench.gate.withState { $0.admission.openRequests } == 0)
    }

    // MARK: By an event

    /// A pipeline with a route that resumes by events, and the key of its requests with these credentials.
    private func resuming(_ credentials: String) throws -> (PipelineBench, ResumptionKey) {
        let bench = try PipelineBench(
            .oneRoute {
                ($0.resumeWindow, $0.onClientGone) = (.seconds(30), .continue)
                $0.streams.perRoute = 0
            })
        let request = try Request.of(.GET, "/", [("Authorization", credentials)])
        let key = bench.test.shared.served.routes[0].resumptionKey(of: request, from: ClientKey("192.0.2.1"))
        return (bench, try #require(key))
    }

    @Test func aRequestForWhatFollowsAnEventNeedsNoAdmission() throws {
        let (bench, key) = try resuming("Bearer me")
        bench.test.shared.registry.addDetached(bench.test.anyId, by: key)
        _ = bench.send(try .of(.GET, "/", [("Authorization", "Bearer me"), ("Last-Event-ID", "7")]))
        #expect(bench.destination.calls == ["resume one of 1"])
    }

    @Test func whatCannotBeResumedIsAdmittedAsAnyRequest() throws {
        let (bench, key) = try resuming("Bearer me")
        bench.test.shared.registry.addDetached(bench.test.anyId, by: key)
        bench.destination.resumesNothing = true
        let answer = bench.send(try .of(.GET, "/", [("Authorization", "Bearer me"), ("Last-Event-ID", "7")]))
        #expect(bench.destination.calls == ["resume one of 1"] && answer.status?.code == 429)
        let line = try #require(try bench.test.logLines().first)
        #expect(line["route"] as? String == "/" && line["status"] as? Int == 429)
    }

    @Test func whatCannotBeResumedBeginsNoStreamInADrain() throws {
        let (bench, key) = try resuming("Bearer me")
        bench.test.shared.registry.addDetached(bench.test.anyId, by: key)
        let answer = bench.send(try .of(.GET, "/", [("Authorization", "Bearer me"), ("Last-Event-ID", "7")]))
        _ = bench.test.readiness.beganDraining()
        bench.destination.otherwise?()
        #expect(bench.destination.calls == ["resume one of 1"] && answer.status?.code == 503)
    }

    @Test(arguments: [
        [("Authorization", "Bearer you"), ("Last-Event-ID", "7")], [("Last-Event-ID", "7")],
        [("Authorization", "Bearer me")], [("Authorization", "Bearer me"), ("Last-Event-ID", "")],
        [("Authorization", "Bearer me"), ("Last-Event-ID", "7"), ("Cookie", "a=b")],
    ])
    func anotherRequestGetsNothingOfTheStream(fields: [(String, String)]) throws {
        let (bench, key) = try resuming("Bearer me")
        bench.test.shared.registry.addDetached(bench.test.anyId, by: key)
        #expect(bench.send(try .of(.GET, "/", fields)).status?.code == 429)
        #expect(bench.destination.calls.isEmpty)
    }

    // MARK: What is no request

    @Test(
        arguments: [
            (RequestFault.malformed, 400), (.headTooLarge, 431), (.tooManyFields, 431), (.headTooSlow, 408),
        ])
    func aFaultIsAnsweredLoggedAndCounted(fault: RequestFault, status: Int) throws {
        let bench = try PipelineBench()
        let answer = FakeResponse()
        bench.pipeline.faultArrived(fault, peer: "192.0.2.7", writer: answer)
        #expect(answer.status?.code == UInt(status))
        let line = try #require(try bench.test.logLines().first)
        #expect(line["client"] as? String == "192.0.2.7" && line["method"] as? String == "-")
        #expect(bench.metrics.route(nil).tally.outcomes[.refused] == 1)
    }

    @Test func failedConnectionsAreLoggedOnceInAMinuteAndNotAsRequests() throws {
        let bench = try PipelineBench()
        for _ in 0..<2 { bench.pipeline.connectionFailed("192.0.2.7", because: "flood") }
        bench.clock.advance(by: .seconds(60))
        bench.pipeline.connectionFailed("192.0.2.8", because: "flood")
        let lines = try bench.test.processText().split(separator: "\n").filter { $0.contains("connection was ended") }
        #expect(lines.count == 2 && lines[0].contains("client=192.0.2.7") && lines[1].contains("client=192.0.2.8"))
        #expect(try bench.test.logLines().isEmpty)
    }
}
