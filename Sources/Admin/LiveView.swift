import Downstream
import Flow
import NIOCore
import NIOHTTP1
import Observability
import Proxy
import Settings

/// Sends operators the state of the proxy, once or repeatedly; confined to the admin listener's loop.
///
/// All viewers share one snapshot, on a grid of half seconds, so that its cost does not grow with them: at most one is
/// collected at a time, and one that is younger than a quarter of a second is used again.
final class LiveView {
    static let mostViewers = 16
    /// More than the six connections that a browser opens to one host; fewer than all, so that one address cannot exclude
    /// others.
    static let mostViewersOfAddress = 8
    static let shortestInterval = Duration.milliseconds(500)
    static let longestInterval = Duration.seconds(60)
    private static let freshness = Duration.milliseconds(250)

    private let proxy: OperatorInterface
    private let eventLoop: any EventLoop
    private let outbox: Outbox
    private let timers: LoopTimers
    private lazy var timer = LoopTimer(target: self)
    private var viewers: [ObjectIdentifier: LiveViewer] = [:]
    /// Called with the snapshot that is being collected, or with `nil` if it fails.
    private var waiting: [([UInt8]?) -> Void] = []
    private var sample: LiveSample
    private var latest: [UInt8]?
    private lazy var history = LiveHistory(of: proxy, on: eventLoop)

    init(of proxy: OperatorInterface, on eventLoop: any EventLoop, outbox: Outbox, timers: LoopTimers) {
        (self.proxy, self.eventLoop, self.outbox, self.timers) = (proxy, eventLoop, outbox, timers)
        sample = LiveSample(at: proxy.now)
        history.start()
    }

    /// Responds with the last minutes: an array of what the page needs of each snapshot, the oldest first.
    func answerHistory(_ writer: any ConnectionResponse) {
        let text = String(decoding: history.json, as: UTF8.self) + "\n"
        proxy.send(OwnAnswer(.ok, type: "application/json", text: text).withoutSniffing, to: writer)
    }

    /// Responds with one snapshot.
    func answer(_ writer: any ConnectionResponse) {
        collect { [proxy] json in
            guard let json else {
                proxy.answer(.unavailable(.loopSilent), to: nil, response: writer)
                return
            }
            let text = String(decoding: json, as: UTF8.self) + "\n"
            proxy.send(OwnAnswer(.ok, type: "application/json", text: text).withoutSniffing, to: writer)
        }
    }

    /// Responds with a snapshot now and one in each interval, as server-sent events, until the client disconnects.
    func follow(_ request: Request, _ writer: any ConnectionResponse) {
        guard let interval = Self.interval(in: request.head.uri) else {
            proxy.answer(
                .invalidRequest("interval must be a duration from 500ms to 60s"), to: request, response: writer)
            return
        }
        if let problem = refusal(of: request.peer) {
            proxy.answer(problem, to: request, response: writer)
            return
        }
        let isHead = request.head.method == .HEAD
        let headers = OwnAnswer(.ok, type: "text/event-stream").withoutSniffing.headers(date: proxy.date)
        writer.writeHead(.ok, headers: headers, body: isHead ? .none : .unknown)
        guard !isHead else { return writer.end() }
        writer.expectPace(true)
        let viewer = LiveViewer(
            response: writer, peer: request.peer, token: proxy.configuration.adminToken, every: interval, of: self)
        viewers[ObjectIdentifier(viewer)] = viewer
        collect { [weak viewer, proxy] json in
            if let json { viewer?.send(json, at: proxy.now) }
        }
        tick(after: proxy.now)
    }

    /// The problem if an address may not have another viewer; unix sockets have no addresses, and their directory controls
    /// access.
    private func refusal(of peer: String) -> Problem? {
        guard viewers.count < Self.mostViewers else { return .tooManyFollowers(limit: Self.mostViewers) }
        guard !peer.isEmpty, viewers.values.count(where: { $0.peer == peer }) >= Self.mostViewersOfAddress else {
            return nil
        }
        return .tooManyFollowers(ofAddress: Self.mostViewersOfAddress)
    }

    func remove(_ viewer: LiveViewer) {
        viewers[ObjectIdentifier(viewer)] = nil
        if viewers.isEmpty { timers.cancel(timer) }
    }

    // MARK: Snapshots

    private func collect(_ done: @escaping ([UInt8]?) -> Void) {
        if let latest, proxy.now - sample.at < Self.freshness { return done(latest) }
        waiting.append(done)
        guard waiting.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        proxy.overview(on: eventLoop).whenComplete { bound.value.collected($0) }
    }

    private func collected(_ result: Result<LoopOverview, any Error>) {
        latest = (try? result.get()).map { json(of: $0) }
        let calls = waiting
        waiting = []
        for call in calls { call(latest) }
        outbox.turnEnded()
    }

    private func json(of overview: LoopOverview) -> [UInt8] {
        let earlier = sample, now = proxy.now
        sample = LiveSample(of: overview.figures, at: now)
        let snapshot = LiveSnapshot(
            overview: overview, routes: proxy.routes,
            breakers: proxy.openBreakers(atMost: LiveSnapshot.mostBreakers, at: now),
            upstreams: proxy.upstreams(at: now),
            health: HealthReport(of: proxy, overview.figures, at: now),
            process: proxy.process, isDraining: proxy.readiness == .draining,
            takesActions: AdminAccess(token: proxy.configuration.adminToken).mayAct, sample: sample, earlier: earlier)
        return snapshot.json(at: .now())
    }

    private func tick(after now: Instant) {
        guard !timer.isSet, !viewers.isEmpty else { return }
        let step = Self.shortestInterval.nanoseconds
        timers.set(timer, at: Instant(nanoseconds: (now.nanoseconds / step + 1) * step))
    }

    /// Reads `?interval=`: one second without it, `nil` if it is out of range or not a duration.
    static func interval(in target: String) -> Duration? {
        guard let mark = target.firstIndex(of: "?") else { return .seconds(1) }
        let pairs = target[target.index(after: mark)...].split(separator: "&")
        guard let pair = pairs.first(where: { $0.hasPrefix("interval=") }) else { return .seconds(1) }
        guard let interval = Duration(text: String(pair.dropFirst("interval=".count))) else { return nil }
        return interval < shortestInterval || interval > longestInterval ? nil : interval
    }
}

extension LiveView: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        tick(after: now)
        // A token that a reload has replaced gives access to nothing more.
        let token = proxy.configuration.adminToken
        for viewer in Array(viewers.values) where viewer.token != token { viewer.end() }
        guard viewers.values.contains(where: { $0.isDue(at: now) }) else { return }
        collect { [self] json in
            guard let json else { return }
            for viewer in Array(viewers.values) where viewer.isDue(at: now) { viewer.send(json, at: now) }
        }
    }
}
