import Downstream
import Flow
import NIOCore
import NIOHTTP1
import Observability
import Settings
import Upstream

/// One request to an upstream whose response many streams share: cuts it into records, once, and reports them to a feed on
/// each event loop that has readers.
///
///     Transfer ──bytes──▶ Pull ──segments──▶ PullFeed of its loop ──▶ SharedReader ──▶ Stream
///                           └── one hop for each other loop and turn ──▶ PullFeed ──▶ …
///
/// It lives on one loop. It waits for its readers as their feeds report: under `lag: wait` for the slowest, else for the
/// fastest.
final class Pull {
    /// Bytes that may be on their way to another loop before that has to confirm them: a turn's.
    private static let mostInFlight = 64 << 10

    private struct Remote {
        let feed: NIOLoopBound<PullFeed>
        var readers = 0
        var isFull = false
        /// Bytes since it last confirmed.
        var inFlight = 0
        var isConfirming = false
    }

    let key: SharingKey
    let id: PullId
    let route: ProxyRoute
    let feed: PullFeed
    private let host: any PullHost
    private let table: PullTable
    private unowned let owner: any PullOwner
    private var lifecycle: PullLifecycle
    private var permit: Permit?
    private var attempts = 0
    private var transfer: (any UpstreamTransfer)?
    private var cutter: RecordCutter?
    private var head: SharedHead?
    private var trailers = HTTPHeaders()
    /// What is reported to a feed that joins after the end.
    private var last: PullEvent?
    private var remotes: [ObjectIdentifier: Remote] = [:]
    /// Segments that other loops get at the end of the turn.
    private var unsent: [LogSegment] = []
    private var isPaused = false
    private var lastHeard: Instant
    private var countedBytes = 0
    private lazy var timer = LoopTimer(target: self)

    init(
        _ key: SharingKey, _ id: PullId, of route: ProxyRoute, sharing: RouteSharing, permit: consuming Permit,
        table: PullTable, on host: any PullHost, owner: any PullOwner
    ) {
        (self.key, self.id, self.route) = (key, id, route)
        (self.host, self.table, self.owner) = (host, table, owner)
        self.permit = consume permit
        lifecycle = PullLifecycle(linger: sharing.settings.linger)
        lastHeard = host.now()
        feed = PullFeed(of: (key, id, sharing), routeName: route.name, table: table, on: host, owner: owner)
    }

    var retainedBytes: Int { countedBytes }
    var isEnded: Bool { lifecycle.isEnded }

    /// Sends the request; its end may be reported before this returns.
    func start() {
        feed.begin(with: NIOLoopBound(self, eventLoop: host.eventLoop))
        attempt()
    }

    private func attempt() {
        guard let upstream = permit?.upstream else { return }
        attempts += 1
        do {
            let transfer = try host.makeTransfer(for: key, of: route, at: upstream, delegate: self)
            self.transfer = transfer
            transfer.start()
        } catch {
            transferEnded(.failed(.unreachable("\(error)")))
        }
    }

    /// The process stops.
    func stop() { perform(lifecycle.stop()) }

    // MARK: Readers

    /// A feed on another loop joins.
    func subscribe(_ feed: NIOLoopBound<PullFeed>, as id: ObjectIdentifier) {
        sendUnsent()
        send(.joined(head, self.feed.log), to: feed)
        if let last { return send(last, to: feed) }
        remotes[id] = Remote(feed: feed)
    }

    /// It has no more readers.
    func unsubscribe(_ id: ObjectIdentifier) {
        remotes[id] = nil
        updatePause()
    }

    func readersChanged(by change: Int, in id: ObjectIdentifier) {
        remotes[id]?.readers += change
        if change > 0 {
            _ = lifecycle.joined(change)
        } else {
            perform(lifecycle.left(-change, at: host.now()))
        }
        updatePause()
    }

    func feedIsFull(_ isFull: Bool, _ id: ObjectIdentifier) {
        if id == ObjectIdentifier(feed) { isLocalFull = isFull } else { remotes[id]?.isFull = isFull }
        updatePause()
    }

    private var isLocalFull = false

    /// Waits for readers, or ceases to.
    private func updatePause() {
        let fulls = remotes.values.filter { $0.readers > 0 }.map(\.isFull) + (feed.readerCount > 0 ? [isLocalFull] : [])
        let isFull =
            feed.sharing.settings.lag == .wait ? fulls.contains(true) : !fulls.isEmpty && !fulls.contains(false)
        let waits = isFull || remotes.values.contains { $0.isConfirming }
        guard waits != isPaused else { return }
        isPaused = waits
        if waits { transfer?.pause() } else { transfer?.resume() }
    }

    // MARK: The lifecycle

    private func perform(_ action: PullLifecycle.Action) {
        switch action {
        case .none: break
        case .publishHead: if let head { publish(.head(head)) }
        case .setTimer(let due): host.timers.set(timer, at: due)
        case .release(let cause):
            table.refuse(key, id, at: host.now())
            transfer?.cancel()
            finish(.refused(cause))
        case .end: break  // `finish(_:)` follows, with the end
        case .cancelUpstream:
            table.remove(key, id)
            transfer?.cancel()
            judge(.clientGone, error: nil)
            finish(.ended(SharedEnd(end: .failed(.brokenOff("the shared request was ended")), trailers: [:])))
        }
    }

    /// The pull is over, and no longer in the table.
    private func finish(_ event: PullEvent) {
        host.timers.cancel(timer)
        transfer = nil
        permit = nil
        last = event
        publish(event)
        remotes = [:]
        countBytes()
        owner.pullEnded(self)
    }

    private func judge(_ outcome: Outcome, error: UpstreamError?) {
        let timeouts = route.settings.timeouts, now = host.now()
        let limit = head == nil ? timeouts.firstByte : timeouts.idle
        let isSilent = outcome == .clientGone && !isPaused && (limit.map { now - lastHeard >= $0 } ?? false)
        permit?.upstreamEnded(
            .init(
                outcome: isSilent ? .upstreamTimeout : outcome, status: head?.response.status,
                hasUpstreamFallenSilent: isSilent || error == .connectTimeout,
                wasClosedWhileIdle: error == .closedWhileIdle, records: feed.log.next), at: now)
    }

    // MARK: Feeds

    private func publish(_ event: PullEvent) {
        sendUnsent()
        for remote in remotes.values { send(event, to: remote.feed) }
        feed.receive(event)
    }

    private func send(_ event: PullEvent, to feed: NIOLoopBound<PullFeed>) {
        feed.eventLoop.execute { feed.value.receiveRemotely(event) }
    }

    private func publish(_ segment: LogSegment) {
        if !remotes.isEmpty {
            if unsent.isEmpty { host.eventLoop.assumeIsolated().execute { self.sendUnsent() } }
            unsent.append(segment)
        }
        feed.receive(.records([segment]))
        permit?.delivered(feed.log.next, at: lastHeard)
        countBytes()
    }

    /// Sends other loops what has arrived in this turn.
    private func sendUnsent() {
        guard !unsent.isEmpty else { return }
        let segments = unsent
        unsent = []
        let bytes = segments.reduce(0) { $0 + $1.bytes.count }
        for id in Array(remotes.keys) { send(segments, bytes: bytes, to: id) }
        updatePause()
    }

    /// A loop that is busy must not have more on its way than a bound.
    private func send(_ segments: [LogSegment], bytes: Int, to id: ObjectIdentifier) {
        guard var remote = remotes[id] else { return }
        send(.records(segments), to: remote.feed)
        remote.inFlight += bytes
        if remote.inFlight > Self.mostInFlight, !remote.isConfirming {
            remote.isConfirming = true
            let pull = NIOLoopBound(self, eventLoop: host.eventLoop)
            remote.feed.eventLoop.execute { pull.eventLoop.execute { pull.value.confirmed(by: id) } }
        }
        remotes[id] = remote
    }

    private func confirmed(by id: ObjectIdentifier) {
        remotes[id]?.inFlight = 0
        remotes[id]?.isConfirming = false
        updatePause()
    }

    /// Reports the memory of what is retained to the ceiling over all streams.
    private func countBytes() {
        let held = lifecycle.isEnded ? 0 : feed.log.cost + (cutter?.heldBytes ?? 0)
        guard held != countedBytes else { return }
        host.bufferChanged(by: held - countedBytes)
        countedBytes = held
    }
}

// MARK: - The upstream

extension Pull: TransferDelegate {
    func transferHead(_ received: UpstreamResponseHead) {
        lastHeard = host.now()
        let settings = route.settings
        let kind = ResponseKind(.init(received, method: .GET), framing: settings.framing, types: settings.types)
        let refusal = Shareability.refusal(
            of: .init(
                status: received.status, isStream: kind.format != nil,
                setsCookie: received.headers.contains(name: "set-cookie"), vary: received.headers.listed(in: "vary"),
                cacheControl: received.headers.listed(in: "cache-control")), by: feed.sharing.rules)
        if let format = kind.format, refusal == nil {
            cutter = RecordCutter(
                framer: format.framer, maximum: settings.policy.maximumRecordBytes,
                keys: settings.shared?.join == .keys ? route.keys.map { RecordTextKeys($0, in: format.framer) } : nil)
            head = SharedHead(response: received, format: format, upstream: permit?.upstream?.name ?? "")
        }
        if refusal != nil { judgeRefused(status: received.status) }
        perform(lifecycle.headArrived(refusal))
    }

    /// The breaker of the upstream counts the response although no client gets it.
    private func judgeRefused(status: Int) {
        permit?.upstreamEnded(
            .init(
                outcome: .completed, status: status, hasUpstreamFallenSilent: false, wasClosedWhileIdle: false,
                records: 0), at: host.now())
    }

    func transferBytes(_ bytes: UnsafeRawBufferPointer) {
        lastHeard = host.now()
        if let segment = cutter?.push(bytes, at: lastHeard) { publish(segment) }
        if cutter?.failure != nil {
            host.metrics(of: route).tally.failed[.oversized] += 1
            transfer?.cancel()
            transferEnded(.failed(.malformed("a record is longer than the route allows")))
        }
    }

    func transferTrailers(_ trailers: HTTPHeaders) { self.trailers = trailers }

    func transferEnded(_ end: TransferEnd) {
        transfer = nil
        var outcome = Outcome.completed
        if case .failed(let error) = end {
            outcome = Outcome(error)
            judge(outcome, error: error)
            if triesAnother(after: error) { return }
        } else {
            if let segment = cutter?.finish(at: host.now()) { publish(segment) }
            judge(outcome, error: nil)
        }
        guard lifecycle.upstreamEnded() == .end else { return }
        table.remove(key, id)
        finish(.ended(SharedEnd(end: end, trailers: trailers)))
    }

    private func triesAnother(after error: UpstreamError) -> Bool {
        guard head == nil, !lifecycle.isEnded, route.mayRetry(after: error, attempts: attempts),
            permit?.tryAnother(at: host.now()) != nil
        else { return false }
        host.metrics(of: route).tally.retries += 1
        attempt()
        return true
    }
}

extension Pull: TimerTarget {
    /// It has had no readers on any loop for the linger time.
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        guard lifecycle.isOverdue(at: now), table.removeIfUnread(key, id) else { return }
        perform(lifecycle.deadlinePassed(at: now))
    }
}

/// Keeps the pulls of one loop.
protocol PullOwner: PullFeedOwner {
    func pullEnded(_ pull: Pull)
}
