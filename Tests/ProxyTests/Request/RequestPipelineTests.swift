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
    /// A pipeline between a fake response and a fake destination.
    private final class Bench {
        let test: TestShared
        let destination = FakeDestination()
        let metrics: LoopMetrics
        let pipeline: RequestPipeline
        let now = Instant.seconds(0)

        init(_ configuration: Configuration = .oneRoute()) throws {
            test = try TestShared(configuration)
            let clock = ManualClock().read
            let timers = LoopTimers(on: EmbeddedEventLoop(), clock: clock)
            metrics = LoopMetrics(routes: test.shared.served.routes.map(\.name), timers: timers, at: clock())
            let shared = test.shared
            let log = RequestLog(shared.log, metrics: metrics, date: shared.date) { shared.served.problemBase }
            pipeline = RequestPipeline(shared: shared, log: log, clock: clock, to: destination)
        }

        var gate: AdmissionGate { test.shared.served.routes[0].gate }

        func send(_ request: Request, body: RequestBody = RequestBody()) -> FakeResponse {
            let answer = FakeResponse()
            pipeline.requestArrived(request, body: body, writer: answer)
            return answer
        }

        /// Expects an answer with a problem, one log line and one count.
        func expectRefusal(
            of request: Request, _ status: Int, _ kind: Problem.Kind, route: String? = "/",
            location: SourceLocation = #_sourceLocation
        ) throws -> FakeResponse {
            let answer = send(request)
            let isHead = request.head.method == .HEAD
            #expect(answer.status?.code == UInt(status), sourceLocation: location)
            #expect(answer.hasEnded, sourceLocation: location)
            let problem = try #require(
                JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any],
                sourceLocation: location)
            #expect((problem["type"] as? String)?.hasSuffix("/" + kind.rawValue) ?? false, sourceLocation: location)
            let lines = try test.logLines()
            #expect(lines.count == 1, sourceLocation: location)
            let line = lines.first ?? [:]
            #expect(line["reason"] as? String == "refused", sourceLocation: location)
            #expect(line["problem"] as? String == kind.rawValue, sourceLocation: location)
            #expect(line["status"] as? Int == status, sourceLocation: location)
            #expect(line["route"] as? String == route, sourceLocation: location)
            #expect(line["bytes"] as? Int == (isHead ? 0 : answer.text.utf8.count), sourceLocation: location)
            let id = line["id"] as? String ?? "none"
            #expect((problem["instance"] as? String)?.contains(id) ?? false, sourceLocation: location)
            let tally = metrics.route(route).tally
            #expect(tally.refusals[kind] == 1 && tally.outcomes[.refused] == 1, sourceLocation: location)
            return answer
        }
    }

    // MARK: By the head

    @Test func aTunnelIsRefused() throws {
        _ = try Bench().expectRefusal(
            of: .of(.CONNECT, "example.com:443"), 501, .notImplemented, route: nil)
    }

    @Test(arguments: [("/", nil), ("/", "a b"), ("no-path", "example.com")] as [(String, String?)])
    func aMalformedHostOrTargetIsRefusedAndTheConnectionCloses(uri: String, host: String?) throws {
        let answer = try Bench().expectRefusal(of: .of(.GET, uri, host: host), 400, .invalidRequest, route: nil)
        #expect(answer.closesAfterwards)
    }

    @Test func theHealthPageIsPassedOnEvenWhileDraining() throws {
        let bench = try Bench()
        bench.test.readiness.becameReady()
        _ = bench.test.readiness.beganDraining()
        _ = bench.send(try .of(.GET, "/v1/health/streaming"))
        #expect(bench.destination.calls == ["health"])
    }

    @Test func aProxyThatDrainsRefuses() throws {
        let bench = try Bench()
        bench.test.readiness.becameReady()
        _ = bench.test.readiness.beganDraining()
        _ = try bench.expectRefusal(of: .of(), 503, .unavailable, route: nil)
        #expect(bench.metrics.route(nil).tally.faults == 1)
    }

    @Test func anUnknownExpectationIsRefused() throws {
        _ = try Bench().expectRefusal(of: .of(.GET, "/", [("Expect", "tea")]), 417, .invalidRequest, route: nil)
    }

    @Test func anAddressOfAStreamIsPassedOn() throws {
        let bench = try Bench()
        let id = String(repeating: "1", count: 32)
        #expect(!bench.send(try .of(.GET, "/v1/streams/\(id)")).hasHead)
        #expect(bench.destination.calls == ["address"])
        _ = try bench.expectRefusal(of: .of(.GET, "/v1/streams/nothing"), 404, .notFound, route: nil)
    }

    @Test func aPathWithoutARouteIsRefused() throws {
        let bench = try Bench(.oneRoute { $0.match.path = "/orders" })
        _ = try bench.expectRefusal(of: .of(.GET, "/other"), 404, .notFound, route: nil)
    }

    // MARK: By the route

    @Test func aBodyOfHEADIsRefused() throws {
        _ = try Bench().expectRefusal(of: .of(.HEAD, "/", [("Content-Length", "1")]), 501, .notImplemented)
    }

    @Test func aBodyThatIsTooLargeIsRefusedByItsLength() throws {
        let bench = try Bench(.oneRoute { $0.maximumBodyBytes = ByteCount(10) })
        _ = bench.send(try .of(.POST, "/", [("Content-Length", "10")]))
        #expect(bench.destination.calls == ["start"])
        let second = try Bench(.oneRoute { $0.maximumBodyBytes = ByteCount(10) })
        _ = try second.expectRefusal(of: .of(.POST, "/", [("Content-Length", "11")]), 413, .tooLarge)
    }

    @Test func theLastHopAnswersOPTIONSItself() throws {
        let bench = try Bench(.oneRoute { $0.match.methods = ["GET", "TRACE", "OPTIONS"] })
        let answer = bench.send(try .of(.OPTIONS, "/", [("Max-Forwards", "0")]))
        #expect(answer.status == .ok)
        #expect(answer.headers["allow"] == ["GET, OPTIONS"])
        #expect(bench.destination.calls.isEmpty)
        let lines = try bench.test.logLines()
        #expect(lines.map { $0["reason"] as? String } == ["completed"])
        #expect(lines.map { $0["status"] as? Int } == [200])
    }

    @Test func theLastHopRefusesTRACE() throws {
        let answer = try Bench().expectRefusal(
            of: .of(.TRACE, "/", [("Max-Forwards", "0")]), 405, .invalidRequest)
        #expect(answer.headers["allow"].count == 1)
    }

    @Test func aMalformedMaxForwardsIsRefused() throws {
        _ = try Bench().expectRefusal(of: .of(.OPTIONS, "/", [("Max-Forwards", "x")]), 400, .invalidRequest)
    }

    @Test(arguments: [("X-Stream-Rate-Limit", "fast"), ("X-Stream-Buffer-Size", "0")])
    func aMalformedNegotiationHeaderIsRefused(name: String, value: String) throws {
        let answer = try Bench().expectRefusal(of: .of(.GET, "/", [(name, value)]), 400, .invalidRequest)
        #expect(answer.text.contains(name))
    }

    @Test func moreThanTheRouteAllowsIsRefusedIfThePolicySaysSo() throws {
        let bench = try Bench(
            .oneRoute {
                $0.policy.maximumBuffer = 10
                $0.policy.overLimit = .reject
            })
        let answer = bench.send(try .of(.GET, "/", [("X-Stream-Buffer-Size", "11")]))
        #expect(answer.status?.code == 429)
        #expect(bench.destination.calls.isEmpty)
    }

    @Test func aRepeatedClientKeyIsRefusedAndAMissingOneIsShared() throws {
        let bench = try Bench(.oneRoute { $0.clientKey = .header("X-Key") })
        _ = bench.send(try .of())
        #expect(bench.destination.started?.key == ClientKey(""))
        _ = try bench.expectRefusal(of: .of(.GET, "/", [("X-Key", "a"), ("X-Key", "b")]), 400, .invalidRequest)
    }

    @Test(arguments: [[""], ["x; after=1"], ["", ""]])
    func aMalformedResumptionIsRefused(values: [String]) throws {
        _ = try Bench().expectRefusal(
            of: .of(.GET, "/", values.map { ("X-Stream-Resume", $0) }), 400, .invalidRequest)
    }

    @Test func aResumptionIsPassedOn() throws {
        let bench = try Bench()
        let id = String(repeating: "1", count: 32)
        _ = bench.send(try .of(.GET, "/", [("X-Stream-Resume", "\(id); after=7")]))
        #expect(bench.destination.calls == ["resume after 7"])
        #expect(bench.gate.withState { $0.admission.openRequests } == 0)
    }

    // MARK: Admission

    @Test func anAdmittedRequestStartsWithWhatItAskedFor() throws {
        let bench = try Bench()
        let request = try Request.of(
            .POST, "/a?b", [("X-Stream-Buffer-Size", "7"), ("Content-Length", "1"), ("Prefer", "stream-notices")])
        let answer = bench.send(request)
        let started = try #require(bench.destination.started)
        #expect(started.terms.buffer == 7)
        #expect(started.client == "192.0.2.1" && started.key == ClientKey("192.0.2.1"))
        #expect(started.body != nil && started.preferences.wantsNotices)
        #expect(started.served.generation == 1 && started.request.trace != nil)
        #expect(!answer.hasHead)
        #expect(bench.gate.withState { $0.admission.openStreams } == 1)
        #expect(try bench.test.logLines().isEmpty)
    }

    @Test func withoutTracingARequestHasNoTrace() throws {
        var configuration = Configuration.oneRoute()
        configuration.isTracing = false
        let bench = try Bench(configuration)
        _ = bench.send(try .of())
        #expect(bench.destination.started?.request.trace == nil)
    }

    /// The default one, which opens at the first failure.
    private static var breaker: Route.Breaker {
        var breaker = Route.Breaker.client
        breaker.failures = 1
        return breaker
    }

    @Test func aLimitOnTheStreamsOfAClientRefuses() throws {
        let answer = try Bench(.oneRoute { $0.streams.perClient = 0 }).expectRefusal(of: .of(), 429, .tooManyStreams)
        #expect(answer.headers["retry-after"] == ["1"])
    }

    @Test func aLimitOnTheStreamsOfARouteRefuses() throws {
        let answer = try Bench(.oneRoute { $0.streams.perRoute = 0 }).expectRefusal(of: .of(), 429, .tooManyStreams)
        #expect(answer.headers["retry-after"] == ["1"])
    }

    @Test func aLimitOnStartsRefusesAndSpreadsTheReturns() throws {
        let bench = try Bench(
            .oneRoute {
                $0.streams.starts = Rate("1/minute")
                $0.streams.startsBurst = 1
            })
        _ = bench.send(try .of())
        let waits = try (0..<3).map { _ in try bench.send(.of()).headers["retry-after"] }
        #expect(waits == [["60"], ["120"], ["180"]])
        #expect(bench.metrics.route("/").tally.outcomes[.refused] == 3)
    }

    @Test func aLimitAtTheUpstreamRefuses() throws {
        let answer = try Bench(.oneRoute { $0.upstreamStreams = 0 }).expectRefusal(of: .of(), 503, .unavailable)
        #expect(answer.headers["retry-after"] == ["1"])
    }

    @Test func anOpenBreakerOfTheClientRefuses() throws {
        let bench = try Bench(.oneRoute { $0.breaker = Self.breaker })
        _ = bench.send(try .of())
        bench.destination.permit?.clientStalled(at: bench.now)
        let answer = try bench.expectRefusal(of: .of(), 429, .slowConsumer)
        let seconds = try #require(Int(answer.headers.first(name: "retry-after") ?? ""))
        // The cooldown, and up to a fifth more.
        #expect((30...36).contains(seconds))
    }

    @Test func anOpenBreakerOfTheUpstreamRefuses() throws {
        let bench = try Bench(.oneRoute { $0.upstreamBreaker = Self.breaker })
        _ = bench.send(try .of())
        bench.destination.permit?.upstreamEnded(.init(outcome: .upstreamFailed, status: nil), at: bench.now)
        let answer = try bench.expectRefusal(of: .of(), 503, .unavailable)
        let seconds = try #require(Int(answer.headers.first(name: "retry-after") ?? ""))
        #expect((30...36).contains(seconds))
    }

    @Test func anUpstreamThatIsDownRefuses() throws {
        let bench = try Bench(.oneRoute { $0.healthCheck = Route.HealthCheck() })
        let name = bench.test.shared.served.routes[0].upstreams[0].name
        for _ in 0..<3 { _ = bench.gate.withState { $0.upstreams.checked(name, isGood: false) } }
        let answer = try bench.expectRefusal(of: .of(), 503, .unavailable)
        #expect(answer.headers["retry-after"] == ["5"])
    }

    @Test func aSpentRecordBudgetRefuses() throws {
        let bench = try Bench(.oneRoute { $0.streams.clientRecords = Rate("1/second") })
        _ = bench.send(try .of())
        for _ in 0..<3 { _ = bench.destination.permit?.draw(upTo: 1, at: bench.now) }
        let answer = try bench.expectRefusal(of: .of(), 429, .rateLimit)
        #expect(answer.headers["retry-after"] == ["3"])
    }

    @Test func aProxyThatIsFullRefuses() throws {
        let bench = try Bench()
        bench.destination.openStreams = bench.test.shared.served.configuration.limits.maxStreams
        let answer = try bench.expectRefusal(of: .of(), 503, .unavailable)
        #expect(answer.headers["retry-after"] == ["1"])
    }

    @Test func aProxyThatIsFullInADryRunStartsAndReports() throws {
        var configuration = Configuration.oneRoute()
        configuration.limits.isDryRun = true
        let bench = try Bench(configuration)
        bench.destination.openStreams = configuration.limits.maxStreams
        _ = bench.send(try .of())
        #expect(bench.destination.wouldRefuse == [.proxyFull(retryAfter: .seconds(1))])
    }

    // MARK: Prefer: respond-async

    private func promising(_ promises: Bool, _ change: (inout Route) -> Void = { _ in }) throws -> Bench {
        let bench = try Bench(
            .oneRoute {
                $0.streams.perClient = 0
                $0.async = Route.Async()
                change(&$0)
            })
        bench.destination.promises = promises
        return bench
    }

    private let preferring = [("Prefer", "respond-async")]

    @Test func aClientThatPrefersToWaitIsPromisedAStream() throws {
        let bench = try promising(true)
        #expect(!bench.send(try .of(.GET, "/", preferring)).hasHead)
        #expect(bench.destination.calls == ["promise"])
    }

    @Test func withoutAPromiseTheRefusalStands() throws {
        let bench = try promising(false)
        _ = try bench.expectRefusal(of: .of(.GET, "/", preferring), 429, .tooManyStreams)
        #expect(bench.destination.calls == ["promise"])
    }

    @Test func nothingIsPromisedWithoutThePreferenceOrForWhatDoesNotEndByWaiting() throws {
        let plain = try promising(true)
        _ = try plain.expectRefusal(of: .of(), 429, .tooManyStreams)
        let busy = try promising(true) { $0.upstreamStreams = 0 }
        _ = try busy.expectRefusal(of: .of(.GET, "/", preferring), 503, .unavailable)
        #expect(plain.destination.calls.isEmpty && busy.destination.calls.isEmpty)
    }

    // MARK: What is no request

    @Test(
        arguments: [
            (RequestFault.malformed, 400), (.headTooLarge, 431), (.tooManyFields(limit: 1), 431), (.headTooSlow, 408),
        ])
    func aFaultIsAnsweredLoggedAndCounted(fault: RequestFault, status: Int) throws {
        let bench = try Bench()
        let answer = FakeResponse()
        bench.pipeline.faultArrived(fault, peer: "192.0.2.7", writer: answer)
        #expect(answer.status?.code == UInt(status))
        let line = try #require(try bench.test.logLines().first)
        #expect(line["client"] as? String == "192.0.2.7" && line["method"] as? String == "-")
        #expect(bench.metrics.route(nil).tally.outcomes[.refused] == 1)
    }

    @Test func aConnectionThatFailedIsNoRequest() throws {
        let bench = try Bench()
        for _ in 0..<2 { bench.pipeline.connectionFailed("192.0.2.7", because: "flood") }
        #expect(try bench.test.logLines().isEmpty)
    }
}
