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

/// A pipeline between a fake response and a fake destination.
final class PipelineBench {
    let test: TestShared
    let destination = FakeDestination()
    let metrics: LoopMetrics
    let pipeline: RequestPipeline
    let clock = ManualClock()
    var now: Instant { clock.now }

    init(_ configuration: Configuration = .oneRoute()) throws {
        test = try TestShared(configuration)
        let timers = LoopTimers(on: EmbeddedEventLoop(), clock: clock.read)
        metrics = LoopMetrics(test.shared.served.routes, timers: timers, at: clock.now)
        pipeline = RequestPipeline(
            shared: test.shared, log: test.makeLog(metrics), clock: clock.read, to: destination)
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
