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

/// The last step of ``RequestPipeline``: admission, and what follows a refusal.
@Suite struct RequestPipelineAdmissionTests {
    @Test func anAdmittedRequestStartsWithWhatItAskedFor() throws {
        let bench = try PipelineBench()
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
        let bench = try PipelineBench(configuration)
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
        let answer = try PipelineBench(.oneRoute { $0.streams.perClient = 0 }).expectRefusal(
            of: .of(), 429, .tooManyStreams)
        #expect(answer.headers["retry-after"] == ["1"])
    }

    @Test func aLimitOnTheStreamsOfARouteRefuses() throws {
        let answer = try PipelineBench(.oneRoute { $0.streams.perRoute = 0 }).expectRefusal(
            of: .of(), 429, .tooManyStreams)
        #expect(answer.headers["retry-after"] == ["1"])
    }

    @Test func aLimitOnStartsRefusesAndSpreadsTheReturns() throws {
        let bench = try PipelineBench(
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
        let answer = try PipelineBench(.oneRoute { $0.upstreamStreams = 0 }).expectRefusal(of: .of(), 503, .unavailable)
        #expect(answer.headers["retry-after"] == ["1"])
    }

    @Test func anOpenBreakerOfTheClientRefuses() throws {
        let bench = try PipelineBench(.oneRoute { $0.breaker = Self.breaker })
        _ = bench.send(try .of())
        bench.destination.permit?.clientStalled(at: bench.now)
        let answer = try bench.expectRefusal(of: .of(), 429, .slowConsumer)
        let seconds = try #require(Int(answer.headers.first(name: "retry-after") ?? ""))
        // The cooldown, and up to a fifth more.
        #expect((30...36).contains(seconds))
    }

    @Test func anOpenBreakerOfTheUpstreamRefuses() throws {
        let bench = try PipelineBench(.oneRoute { $0.upstreamBreaker = Self.breaker })
        _ = bench.send(try .of())
        bench.destination.permit?.upstreamEnded(.init(outcome: .upstreamFailed, status: nil), at: bench.now)
        let answer = try bench.expectRefusal(of: .of(), 503, .unavailable)
        let seconds = try #require(Int(answer.headers.first(name: "retry-after") ?? ""))
        #expect((30...36).contains(seconds))
    }

    @Test func anUpstreamThatIsDownRefuses() throws {
        let bench = try PipelineBench(.oneRoute { $0.healthCheck = Route.HealthCheck() })
        let name = bench.test.shared.served.routes[0].upstreams[0].name
        for _ in 0..<3 { _ = bench.gate.withState { $0.upstreams.checked(name, isGood: false) } }
        let answer = try bench.expectRefusal(of: .of(), 503, .unavailable)
        #expect(answer.headers["retry-after"] == ["5"])
    }

    @Test func aSpentRecordBudgetRefuses() throws {
        let bench = try PipelineBench(.oneRoute { $0.streams.clientRecords = .init(rate: Rate("1/second")) })
        _ = bench.send(try .of())
        for _ in 0..<3 { _ = bench.destination.permit?.draw(upTo: 1, over: nil, at: bench.now) }
        let answer = try bench.expectRefusal(of: .of(), 429, .rateLimit)
        #expect(answer.headers["retry-after"] == ["3"])
    }

    @Test func aProxyThatIsFullRefuses() throws {
        let bench = try PipelineBench()
        bench.destination.openStreams = bench.test.shared.served.configuration.limits.maxStreams
        let answer = try bench.expectRefusal(of: .of(), 503, .unavailable)
        #expect(answer.headers["retry-after"] == ["1"])
    }

    @Test func aProxyThatIsFullInADryRunStartsAndReports() throws {
        var configuration = Configuration.oneRoute()
        configuration.limits.isDryRun = true
        let bench = try PipelineBench(configuration)
        bench.destination.openStreams = configuration.limits.maxStreams
        _ = bench.send(try .of())
        #expect(bench.destination.wouldRefuse == [.proxyFull(retryAfter: .seconds(1))])
    }

    // MARK: Prefer: respond-async

    private func promising(_ promises: Bool, _ change: (inout Route) -> Void = { _ in }) throws -> PipelineBench {
        let bench = try PipelineBench(
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

    @Test func withoutAPromiseTheRefusalRemains() throws {
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
}
