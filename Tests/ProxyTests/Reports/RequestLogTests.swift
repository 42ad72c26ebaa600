import Downstream
import Flow
import Foundation
import NIOEmbedded
import NIOHTTP1
import Observability
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy

@Suite struct RequestLogTests {
    private struct Bench {
        let test: TestShared
        let metrics: LoopMetrics
        let log: RequestLog

        init(_ change: (inout Configuration) -> Void = { _ in }) throws {
            var configuration = Configuration.oneRoute()
            change(&configuration)
            test = try TestShared(configuration)
            let clock = ManualClock()
            metrics = LoopMetrics(
                test.shared.served.routes, timers: LoopTimers(on: EmbeddedEventLoop(), clock: clock.read),
                at: clock.now)
            log = test.makeLog(metrics)
        }
    }

    private func problem(in response: FakeResponse) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
    }

    // MARK: weir's own answers

    @Test(arguments: [(HTTPMethod.GET, 12), (.HEAD, 0)])
    func anOwnAnswerIsLoggedWithTheBytesOfItsBody(method: HTTPMethod, bytes: Int) throws {
        let bench = try Bench()
        bench.log.logOwnAnswer(try .of(method, "/page?secret=1"), status: 200, bytes: 12, client: "192.0.2.9")
        let line = try #require(try bench.test.logLines().first)
        #expect(line["reason"] as? String == "completed" && line["status"] as? Int == 200)
        #expect(line["bytes"] as? Int == bytes && line["client"] as? String == "192.0.2.9")
        #expect(line["path"] as? String == "/page" && line["method"] as? String == method.rawValue)
        #expect(line["route"] == nil)
    }

    @Test func withoutAnAccessLogARefusalIsAnsweredAndCounted() throws {
        let bench = try Bench { $0.accessLog = nil }
        #expect(!bench.log.isEnabled)
        let response = FakeResponse()
        bench.log.logOwnAnswer(try .of(), status: 200, bytes: 1, client: "")
        bench.log.refuse(try .of(), with: .notFound, client: "", route: "/", response: response)
        #expect(response.status == .notFound && bench.metrics.route("/").tally.refusals[.notFound] == 1)
        #expect(try bench.test.logLines().isEmpty)
    }

    // MARK: Refusals

    @Test(arguments: ["/", nil]) func aRefusalIsCountedForItsRoute(route: String?) throws {
        let bench = try Bench()
        let response = FakeResponse()
        bench.log.refuse(try .of(), with: .notFound, client: "192.0.2.9", route: route, response: response)
        let counted = try [#require(bench.metrics.routes["/"]), #require(bench.metrics.routes[LoopFigures.unrouted])]
            .map { $0.tally.refusals[.notFound] }
        #expect(counted == (route == nil ? [0, 1] : [1, 0]))
        let line = try #require(try bench.test.logLines().first)
        #expect(line["route"] as? String == route && line["bytes"] as? Int == response.body.count)
        let instance = try problem(in: response)["instance"] as? String
        #expect(instance?.contains(try #require(line["id"] as? String)) == true)
    }

    /// A problem has the trace id that the client sent, and none that weir began.
    @Test(arguments: [true, false]) func aProblemNamesTheTraceThatTheClientSent(isJoined: Bool) throws {
        let bench = try Bench()
        var random = SeededGenerator(seed: 1)
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        var request = try Request.of()
        request.trace = TraceContext(joining: isJoined ? [parent] : [], using: &random)
        let response = FakeResponse()
        bench.log.refuse(request, with: .notFound, client: "", route: nil, response: response)
        let line = try #require(try bench.test.logLines().first)
        #expect(line["trace_id"] as? String == request.trace?.traceId)
        let named = try problem(in: response)["traceId"] as? String
        #expect(named == (isJoined ? "0af7651916cd43dd8448eb211c80319c" : nil))
    }

    @Test func aFaultIsLoggedWithoutARequest() throws {
        let bench = try Bench()
        let response = FakeResponse()
        let problem = Problem(RequestFault.headTooLarge, limits: bench.test.shared.served.connectionLimits)
        bench.log.refuse(problem, peer: "192.0.2.7", response: response)
        #expect(response.status?.code == 431)
        let line = try #require(try bench.test.logLines().first)
        #expect(line["client"] as? String == "192.0.2.7" && line["bytes"] as? Int == response.body.count)
        #expect(line["method"] as? String == "-" && line["path"] as? String == "-")
        #expect(bench.metrics.route(nil).tally.outcomes[.refused] == 1)
    }

    // MARK: Facts

    @Test(arguments: [(Configuration.AccessLog.Format.json, nil), (.combined, "curl/8")] as [(_, String?)])
    func headersAreFactsOfTheCombinedFormatOnly(format: Configuration.AccessLog.Format, agent: String?) throws {
        let bench = try Bench { $0.accessLog?.format = format }
        let request = try Request.of(.GET, "/", [("User-Agent", "curl/8"), ("Referer", "https://a.example/")])
        let facts = bench.log.facts(of: request, client: "192.0.2.9", route: "/", id: nil)
        #expect(facts.userAgent == agent && (facts.referer == nil) == (agent == nil))
        #expect(facts.httpVersion == "HTTP/1.1" && facts.traceId == nil && facts.id == nil)
    }

    @Test func everyIdIsNew() throws {
        let bench = try Bench()
        #expect(Set((0..<100).map { _ in bench.log.nextId().text }).count == 100)
    }
}
