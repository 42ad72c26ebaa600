import Downstream
import Flow
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Observability
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy

@Suite struct OperatorInterfaceTests {
    private let bench: WorkerBench
    private let operators: OperatorInterface

    init() throws {
        bench = try WorkerBench.waiting { $0.routes[0].upstreamBreaker = .upstream }
        let shared = bench.test.shared
        shared.roster.add(NIOLoopBound(bench.worker, eventLoop: bench.loop))
        operators = OperatorInterface(shared)
    }

    private var route: ProxyRoute { bench.test.shared.served.routes[0] }

    /// What all loops have answered.
    private func answer<Value: Sendable>(_ ask: (any EventLoop) -> EventLoopFuture<Value>) throws -> Value {
        let future = ask(bench.loop)
        bench.loop.run()
        return try future.wait()
    }

    // MARK: The process

    @Test func theServedConfigurationIsShown() {
        let shared = bench.test.shared
        #expect(operators.configuration == shared.served.configuration && operators.routes == ["/"])
        #expect(operators.connectionLimits.headerTime == shared.served.connectionLimits.headerTime)
        #expect(operators.isHealth("/v1/health/streaming") && !operators.isHealth("/v1/health/streaming/more"))
    }

    @Test func theStateOfTheProcessIsShown() {
        #expect(operators.readiness == .starting)
        bench.test.readiness.becameReady()
        #expect(operators.readiness == .ready)
        let process = operators.process
        #expect(process.build.version == "test" && process.generation == 1 && !process.reloads.isRefused)
        #expect(process.accessLogLinesLost == 0 && process.processLogLinesLost == 0)
    }

    // MARK: All event loops

    @Test func theFiguresOfAllLoopsAreAdded() throws {
        #expect(try answer { operators.figures(on: $0) }.routes["/"]?.active == 0)
        _ = try bench.promise()
        bench.test.shared.roster.add(NIOLoopBound(bench.worker, eventLoop: bench.loop))
        #expect(try answer { operators.figures(on: $0) }.routes["/"]?.active == 2, "the loop is counted twice")
        #expect(try answer { operators.overview(on: $0) }.figures.routes["/"]?.active == 2)
    }

    @Test func aStreamOfAnEarlierConfigurationIsCounted() throws {
        _ = try bench.promise()
        let shared = bench.test.shared
        let next = ServedConfiguration(
            shared.served.configuration, after: shared.served, log: bench.test.shared.processLog)
        shared.serve(next, maximumConnections: 10, at: bench.clock.now)
        #expect(try answer { operators.figures(on: $0) }.older.count == 1)
    }

    // MARK: One stream

    @Test func aStreamIsReportedAndEndedByItsHandle() throws {
        let handle = StreamHandle(of: try bench.promiseStream())
        let report = try #require(try answer { operators.report(of: handle, on: $0) })
        #expect(report.summary.handle == handle.text && report.path == "/" && report.summary.status == .waiting)
        #expect(bench.worker.openStreams == 1)
        #expect(try answer { operators.end(handle, on: $0) } != nil)
        #expect(bench.worker.openStreams == 0)
        let line = try #require(try bench.test.logLines().last)
        #expect(line["reason"] as? String == "cancelled")
    }

    @Test func anUnknownStreamIsNotReported() throws {
        let handle = StreamHandle(of: try bench.promiseStream())
        #expect(try answer { operators.end(handle, on: $0) } != nil)
        #expect(try answer { operators.report(of: handle, on: $0) } == nil)
        #expect(try answer { operators.end(handle, on: $0) } == nil)
    }

    // MARK: Breakers

    private func openUpstreamBreaker() {
        for _ in 0..<10 {
            route.gate.withState { state in
                guard var place = try? state.upstreams.admit(at: operators.now) else { return }
                _ = state.upstreams.failed(&place, at: operators.now, jitter: 0)
                state.upstreams.released(place, at: operators.now)
            }
        }
    }

    @Test func openBreakersAreListedUpToTheLimit() {
        #expect(operators.openBreakers(atMost: 10, at: operators.now).isEmpty)
        openUpstreamBreaker()
        let open = operators.openBreakers(atMost: 10, at: operators.now)
        #expect(open.map(\.name) == ["http://127.0.0.1:9"] && open.map(\.route) == ["/"])
        #expect(operators.openBreakers(atMost: 0, at: operators.now).isEmpty)
        let figures = operators.breakerFigures(at: operators.now)
        #expect(figures.map(\.upstreamTrips) == [1] && figures.map(\.upstreams) == [[.open]])
    }

    @Test func aBreakerIsResetOnceAndTheResetIsLogged() throws {
        openUpstreamBreaker()
        let name = "http://127.0.0.1:9"
        #expect(!operators.resetBreaker(of: "/other", .upstream, named: name))
        #expect(!operators.resetBreaker(of: "/", .upstream, named: "http://other"))
        #expect(!operators.resetBreaker(of: "/", .client, named: name))
        #expect(operators.resetBreaker(of: "/", .upstream, named: name))
        #expect(!operators.resetBreaker(of: "/", .upstream, named: name))
        #expect(operators.openBreakers(atMost: 10, at: operators.now).isEmpty)
        let resets = try bench.test.processText().split(separator: "\n").filter { $0.contains("was reset") }
        #expect(resets.count == 1 && resets[0].contains("kind=upstream"))
    }

    // MARK: Answers

    @Test func anAnswerIsSentWithItsDate() {
        let response = FakeResponse()
        operators.send(OwnAnswer(.ok, type: "text/plain", text: "ok"), to: response)
        #expect(response.status == .ok && response.text == "ok" && response.hasEnded)
        #expect(response.headers["date"].count == 1 && response.headers["content-length"] == ["2"])
        #expect(operators.date.hasSuffix(" GMT"))
    }

    @Test func aProblemIsAnsweredInTheTypeThatTheRequestAccepts() throws {
        let response = FakeResponse()
        let request = try Request.of(.GET, "/", [("Accept", "application/problem+json")])
        let bytes = operators.answer(.notFound, to: request, response: response)
        #expect(response.status == .notFound && bytes == ByteCount(response.body.count))
        #expect(response.headers["content-type"] == ["application/problem+json"])
        let plain = operators.answer(.notFound, to: nil)
        #expect(plain.text == response.text)
        #expect(plain.headers["content-type"] == ["application/json"])
    }

    @Test func aProblemForHEADHasNoBytes() throws {
        let bytes = operators.answer(.notFound, to: try .of(.HEAD), response: FakeResponse())
        #expect(bytes == .zero)
    }
}
