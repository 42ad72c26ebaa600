import Downstream
import Flow
import NIOCore
import NIOHTTP1
import Observability
import Settings

/// Tells operators how the proxy stands, once or over and over; lives on the admin listener's loop.
///
/// All viewers share one snapshot, on a grid of half seconds, so that the price does not grow with them: at most one
/// gathering runs at a time, and what is younger than a quarter of a second is told again.
final class LiveView {
    static let mostViewers = 16
    /// More than the six connections that a browser opens to one host; other addresses always find a place.
    static let mostViewersOfAddress = 8
    static let shortestInterval = Duration.milliseconds(500)
    static let longestInterval = Duration.seconds(60)
    private static let freshness = Duration.milliseconds(250)

    private let eventLoop: any EventLoop
    private let shared: Shared
    private let outbox: Outbox
    private let timers: LoopTimers
    private lazy var timer = LoopTimer(target: self)
    private var viewers: [ObjectIdentifier: LiveViewer] = [:]
    /// Who wants the snapshot that is being gathered; `nil` tells that there will be none.
    private var waiting: [([UInt8]?) -> Void] = []
    private var sample = LiveSample(at: Worker.now())
    private var latest: [UInt8]?

    init(on eventLoop: any EventLoop, shared: Shared, outbox: Outbox, timers: LoopTimers) {
        (self.eventLoop, self.shared, self.outbox, self.timers) = (eventLoop, shared, outbox, timers)
    }

    /// Answers with one snapshot.
    func answer(_ writer: any ConnectionResponse) {
        gather { [self] json in
            guard let json else {
                _ = shared.answer(.unavailable(.loopSilent), to: nil, response: writer)
                return
            }
            let headers = headers("application/json")
            writer.respond(.ok, headers: headers, text: String(decoding: json, as: UTF8.self) + "\n")
        }
    }

    /// Answers with a snapshot now and every so often, as server-sent events, until the client leaves.
    func follow(_ request: Request, _ writer: any ConnectionResponse) {
        guard let interval = Self.interval(in: request.head.uri) else {
            return refuse(.badRequest, "interval must be a duration from 500ms to 60s", writer)
        }
        if let problem = placeRefusal(of: request.peer) {
            _ = shared.answer(problem, to: request, response: writer)
            return
        }
        let isHead = request.head.method == .HEAD
        writer.writeHead(.ok, headers: headers("text/event-stream"), body: isHead ? .none : .unknown)
        guard !isHead else { return writer.end() }
        writer.expectPace(true)
        let viewer = LiveViewer(response: writer, peer: request.peer, every: interval, of: self)
        viewers[ObjectIdentifier(viewer)] = viewer
        gather { [weak viewer] json in
            if let json { viewer?.tell(json, at: Worker.now()) }
        }
        tick(after: Worker.now())
    }

    /// Why an address may not have another follower; a unix socket has no addresses, and its folder says who may come.
    private func placeRefusal(of peer: String) -> Problem? {
        guard viewers.count < Self.mostViewers else { return .tooManyFollowers(limit: Self.mostViewers) }
        guard !peer.isEmpty, viewers.values.count(where: { $0.peer == peer }) >= Self.mostViewersOfAddress else {
            return nil
        }
        return .tooManyFollowers(ofAddress: Self.mostViewersOfAddress)
    }

    func left(_ viewer: LiveViewer) {
        viewers[ObjectIdentifier(viewer)] = nil
        if viewers.isEmpty { timers.cancel(timer) }
    }

    // MARK: Snapshots

    private func gather(_ told: @escaping ([UInt8]?) -> Void) {
        if let latest, Worker.now() - sample.at < Self.freshness { return told(latest) }
        waiting.append(told)
        guard waiting.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        shared.roster.view(on: eventLoop).whenComplete { bound.value.gathered($0) }
    }

    private func gathered(_ result: Result<LoopView, any Error>) {
        latest = (try? result.get()).map { view in
            let earlier = sample
            sample = LiveSample(of: view.figures, at: Worker.now())
            return LiveSnapshot(view: view, shared: shared, sample: sample, earlier: earlier).json
        }
        let told = waiting
        waiting = []
        for tell in told { tell(latest) }
        outbox.turnEnded()
    }

    private func tick(after now: Instant) {
        guard !timer.isSet, !viewers.isEmpty else { return }
        let step = Self.shortestInterval.nanoseconds
        timers.set(timer, at: Instant(nanoseconds: (now.nanoseconds / step + 1) * step))
    }

    // MARK: Answers

    /// What `?interval=` says: a second where it says nothing, `nil` where it makes no sense.
    static func interval(in target: String) -> Duration? {
        guard let mark = target.firstIndex(of: "?") else { return .seconds(1) }
        let pairs = target[target.index(after: mark)...].split(separator: "&")
        guard let pair = pairs.first(where: { $0.hasPrefix("interval=") }) else { return .seconds(1) }
        guard let interval = Duration(text: String(pair.dropFirst("interval=".count))) else { return nil }
        return interval < shortestInterval || interval > longestInterval ? nil : interval
    }

    private func refuse(_ status: HTTPResponseStatus, _ text: String, _ writer: any ConnectionResponse) {
        writer.respond(status, headers: headers("text/plain; charset=utf-8"), text: text + "\n")
    }

    private func headers(_ type: String) -> HTTPHeaders {
        [
            "Content-Type": type, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
            "Date": shared.date.text(at: Timestamp.now()),
        ]
    }
}

extension LiveView: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        tick(after: now)
        guard viewers.values.contains(where: { $0.isDue(at: now) }) else { return }
        gather { [self] json in
            guard let json else { return }
            for viewer in Array(viewers.values) where viewer.isDue(at: now) { viewer.tell(json, at: now) }
        }
    }
}

/// One who follows the live view: holds at most one snapshot that was not read, and is let go when it never reads.
final class LiveViewer: ResponseWriterDelegate {
    private static let mostSkipped = 30

    let peer: String
    private let response: any ConnectionResponse
    private let interval: Duration
    private let view: LiveView
    private var due = Instant.distantPast
    private var skipped = 0

    init(response: any ConnectionResponse, peer: String, every interval: Duration, of view: LiveView) {
        (self.response, self.peer, self.interval, self.view) = (response, peer, interval, view)
        response.delegate = self
    }

    func isDue(at now: Instant) -> Bool { now >= due }

    func tell(_ json: [UInt8], at now: Instant) {
        // On the grid, less a little: else what comes late once would miss every second step.
        due = now + (interval - LiveView.shortestInterval / 4)
        guard response.room > 0 else {
            skipped += 1
            if skipped >= Self.mostSkipped { response.abort() }
            return
        }
        skipped = 0
        let event = Array("event: state\ndata: ".utf8) + json + Array("\n\n".utf8)
        event.withUnsafeBytes { response.write($0) }
    }

    func responseHasRoom() {}
    func responseIsHeldUp() {}
    func responseFinished() { view.left(self) }
    func responseClosed() { view.left(self) }
}

extension LoopRoster {
    /// Asks every loop for what it shows, and joins the answers; a failure only where a loop has been shut down.
    fileprivate func view(on loop: any EventLoop) -> EventLoopFuture<LoopView> {
        join(into: LoopView(), on: loop, { $0.view() }, +=)
    }
}
