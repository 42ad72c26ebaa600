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

/// One worker on an embedded loop, without a listening socket.
final class WorkerBench {
    let test: TestShared
    let worker: Worker
    let loop = EmbeddedEventLoop()
    let clock = ManualClock()

    init(_ configuration: Configuration) throws {
        test = try TestShared(configuration)
        worker = try Worker(
            on: loop, shared: test.shared, gauge: test.shared.buffers.cells[0], clock: clock.read)
    }

    /// One whose streams wait for a slot: they have an address and no upstream, so that they need no socket.
    static func waiting(_ change: (inout Configuration) -> Void = { _ in }) throws -> WorkerBench {
        var configuration = Configuration.oneRoute {
            $0.upstreams = [UpstreamAddress(host: "127.0.0.1", port: 9)]
            $0.streams.perClient = 0
        }
        change(&configuration)
        return try WorkerBench(configuration)
    }

    deinit {
        worker.endStreams(.drained)
        worker.stop()
    }

    var tally: RouteTally { worker.meters.route("/").tally }

    func send(_ request: Request, body: String? = nil) -> FakeResponse {
        let answer = FakeResponse()
        guard let body else {
            worker.listener?.services.handler.requestArrived(request, body: RequestBody(), writer: answer)
            return answer
        }
        let source = FakeSource(timers: worker.timers, clock: worker.clock)
        let requestBody = RequestBody(of: request, from: source)
        worker.listener?.services.handler.requestArrived(request, body: requestBody, writer: answer)
        requestBody.arrived(ByteBuffer(string: body))
        requestBody.ended()
        return answer
    }

    /// Promises a stream.
    ///
    /// - Returns: The stream's address.
    func promise() throws -> String {
        let answer = send(try .of(.GET, "/", [("Prefer", "respond-async")]))
        #expect(answer.status == .accepted)
        #expect(answer.headers["preference-applied"] == ["respond-async"] && answer.headers["vary"] == ["Prefer"])
        let location = try #require(answer.headers.first(name: "location"))
        #expect(location.hasSuffix(answer.headers.first(name: "x-stream-id") ?? "none"))
        return location
    }

    /// Promises a stream.
    ///
    /// - Returns: The stream's id.
    func promiseStream() throws -> StreamId {
        try #require(StreamId(promise().split(separator: "/").last ?? ""))
    }

    func advance(by duration: Duration) {
        clock.advance(by: duration)
        loop.advanceTime(by: .nanoseconds(Int64(duration / .nanoseconds(1))))
    }
}

private final class FakeSource: RequestBodySource {
    let timers: LoopTimers
    let clock: () -> Instant

    init(timers: LoopTimers, clock: @escaping () -> Instant) { (self.timers, self.clock) = (timers, clock) }

    func setReading(_ reads: Bool) {}
    func sendContinue() {}
}
