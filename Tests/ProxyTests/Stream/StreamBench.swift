import Flow
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Observability
import Settings
import TestSupport

@testable import Downstream
@testable import Proxy
@testable import Upstream

/// A transfer without libcurl: keeps what the stream orders, and reports what the test says.
final class FakeTransfer: UpstreamTransfer {
    private(set) var orders: [String] = []
    private(set) var delegate: (any TransferDelegate)?

    init(_ delegate: any TransferDelegate) { self.delegate = delegate }

    var isCancelled: Bool { delegate == nil }
    var wasSent = true

    func start() { orders.append("start") }
    func pause() { orders.append("pause") }
    func resume() { orders.append("resume") }
    func bodyArrived() { orders.append("body") }
    func cancel() {
        orders.append("cancel")
        delegate = nil
    }

    // MARK: The upstream

    func sendHead(_ status: Int = 200, _ fields: [(String, String)] = [("Content-Type", "application/x-ndjson")]) {
        let headers = HTTPHeaders(fields)
        let length = headers.first(name: "content-length").flatMap { Int($0) }
        delegate?.transferHead(
            UpstreamResponseHead(
                status: status, reason: "OK", headers: headers, contentLength: length, isChunked: length == nil))
    }

    func send(_ text: String) {
        var text = text
        text.withUTF8 { delegate?.transferBytes(UnsafeRawBufferPointer($0)) }
    }

    func end(_ end: TransferEnd = .complete) {
        let delegate = delegate
        self.delegate = nil
        delegate?.transferEnded(end)
    }
}

/// An event loop with a clock that the test moves, and no sockets.
final class FakeHost: StreamHost {
    let clock = ManualClock(at: .seconds(1000))
    let loop = EmbeddedEventLoop()
    let timers: LoopTimers
    let test: TestShared
    let loopMetrics: LoopMetrics
    let requestLog: RequestLog
    let process = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let dateText = "Thu, 01 Jan 1970 00:00:00 GMT"
    var isDraining = false
    var isFull = false
    var hasNoMemory = false
    /// Why streams do not share a request; `nil` if they get a transfer.
    var joinError: JoinError?
    private(set) var transfers: [FakeTransfer] = []
    private(set) var upstreams: [String] = []
    private(set) var registered: [StreamId] = []
    private(set) var ends: [(id: StreamId, hasExpired: Bool)] = []
    private(set) var displaced: [StreamId] = []
    /// Streams that can be found by their requests.
    private(set) var detached = DetachedStreams()
    /// Open streams, which the host owns.
    private(set) var streams: [StreamId: Proxy.Stream] = [:]
    /// The bytes of all streams.
    private(set) var bufferedBytes = 0

    init(_ configuration: Configuration) throws {
        test = try TestShared(configuration)
        let shared = test.shared
        timers = LoopTimers(on: loop, clock: clock.read)
        loopMetrics = LoopMetrics(shared.served.routes, timers: timers, at: clock.now)
        requestLog = RequestLog(shared.log, metrics: loopMetrics, date: shared.date) { shared.served.problemStyle }
    }

    var eventLoop: any EventLoop { loop }
    var replicas: Replicas? { nil }

    func now() -> Instant { clock.now }

    func turnEnded() {}

    func metrics(of route: ProxyRoute) -> RouteMetrics { loopMetrics.route(route) }

    func makeTransfer(
        for request: StreamRequest, at upstream: RouteUpstream, body: RequestBody?, delegate: any TransferDelegate
    ) throws -> any UpstreamTransfer {
        guard !hasNoMemory else { throw SystemError(call: "curl_easy_init", code: 12) }
        let transfer = FakeTransfer(delegate)
        transfers.append(transfer)
        upstreams.append(upstream.name)
        return transfer
    }

    func joinPull(
        for request: StreamRequest, by key: SharingKey, at join: JoinRequest, as id: StreamId,
        delegate: any SharedTransferDelegate
    ) throws(JoinError) -> any UpstreamTransfer {
        if let joinError { throw joinError }
        let transfer = FakeTransfer(delegate)
        transfers.append(transfer)
        return transfer
    }

    func granted(_ terms: Terms) throws(AdmissionError) -> Terms {
        guard !isFull else { throw .proxyFull(retryAfter: .seconds(1)) }
        return terms
    }

    func location(of id: StreamId) -> String? { test.shared.served.streamsAddress?.location(of: id) }

    func register(_ stream: Proxy.Stream) { registered.append(stream.id) }
    func lostClient(_ stream: Proxy.Stream, by key: ResumptionKey) { detached.add(stream.id, of: key) }
    func hasClient(_ stream: Proxy.Stream, by key: ResumptionKey) { detached.remove(stream.id, of: key) }
    func opened(_ stream: Proxy.Stream) { streams[stream.id] = stream }
    func ended(_ stream: Proxy.Stream, hasExpired: Bool) {
        streams[stream.id] = nil
        ends.append((stream.id, hasExpired))
    }
    func endDisplaced(_ id: StreamId) { displaced.append(id) }
    func bufferChanged(by change: Int) { bufferedBytes += change }
}

/// One route on a ``FakeHost``, and the streams that a test opens on it.
final class StreamBench {
    let host: FakeHost
    let route: ProxyRoute

    init(_ change: (inout Route) -> Void = { _ in }) throws {
        host = try FakeHost(.oneRoute(change))
        route = host.test.shared.served.routes[0]
    }

    var transfer: FakeTransfer { host.transfers[host.transfers.count - 1] }
    var tally: RouteTally { host.loopMetrics.route("/").tally }
    var admission: Admission { route.gate.withState { $0.admission } }

    func request(
        _ headers: [(String, String)] = [], method: HTTPMethod = .GET, body: RequestBody? = nil
    ) throws -> StreamRequest {
        let request = try Request.of(method, "/", headers)
        let streamRequest = StreamRequest(
            request: request, client: "192.0.2.1", key: ClientKey("192.0.2.1"), route: route,
            served: host.test.shared.served, terms: try route.terms(for: request, tier: nil),
            preferences: Preferences(prefer: request.head.headers["prefer"]), body: body)
        streamRequest.resumption = route.resumptionKey(of: request, from: streamRequest.key)
        return streamRequest
    }

    /// Opens a stream whose request has been sent.
    func open(
        _ headers: [(String, String)] = [], method: HTTPMethod = .GET, body: RequestBody? = nil
    ) throws -> (Proxy.Stream, FakeResponse) {
        let response = FakeResponse()
        let stream = Stream(
            try request(headers, method: method, body: body), to: response, on: host, at: host.now())
        host.opened(stream)
        let permit = try route.gate.admit(stream.request.key, at: host.now())
        stream.promiseUnlessAnswered()
        stream.start(permit)
        return (stream, response)
    }

    /// Moves the clock, and fires the timers that are due on the way.
    func advance(by duration: Duration) {
        let end = host.clock.now + duration
        while host.clock.now < end {
            let step = min(end - host.clock.now, .milliseconds(1))
            host.clock.advance(by: step)
            host.loop.advanceTime(by: .nanoseconds(step.nanoseconds))
        }
    }

    /// The access log's line of the only stream; nothing is logged after this.
    func logLine() throws -> [String: Any] {
        let lines = try host.test.logLines()
        return lines.count == 1 ? lines[0] : ["lines": lines.count]
    }
}

extension Array where Element == String {
    /// NDJSON.
    var lines: String { map { $0 + "\n" }.joined() }
}
