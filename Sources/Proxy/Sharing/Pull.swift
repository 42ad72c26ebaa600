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
    /// Bytes after which records are published within a turn: with one more read of libcurl they fit one write.
    private static let mostCollected = 48 << 10

    let description: PullDescription
    let route: ProxyRoute
    let feed: PullFeed
    private let host: any PullHost
    private let table: PullTable
    private unowned let owner: any PullOwner
    private var lifecycle: PullLifecycle
    private var exchange: PullExchange
    private var response = PullResponse()
    private var remotes = RemoteFeeds()
    /// The memory of what is retained, as reported to the ceiling over all streams.
    private(set) var retainedBytes = 0
    private let began: Instant
    /// The earliest deadline of the `PullLifecycle`.
    private lazy var deadline = LoopTimer(target: self)
    /// Set if the request is a probe of a breaker: it has proved good by then.
    private lazy var trial = LoopTimer(target: self)

    init(
        _ description: PullDescription, of route: ProxyRoute, permit: consuming Permit, table: PullTable,
        on host: any PullHost, owner: any PullOwner
    ) {
        (self.description, self.route) = (description, route)
        (self.host, self.table, self.owner) = (host, table, owner)
        began = host.now()
        exchange = PullExchange(permit, at: began)
        lifecycle = PullLifecycle(
            linger: description.sharing.settings.linger, limits: route.machineLimits, at: began)
        feed = PullFeed(of: description, table: table, on: host, owner: owner)
    }

    private var key: SharingKey { description.key }
    private var id: PullId { description.id }

    /// Sends the request; its end may be reported before this returns.
    func start() {
        feed.begin(with: NIOLoopBound(self, eventLoop: host.eventLoop))
        if let time = exchange.permit?.trialTime { host.timers.set(trial, at: began + time) }
        attempt()
    }

    private func attempt() {
        guard let upstream = exchange.permit?.upstream else { return }
        exchange.attempts += 1
        exchange.began = host.now()
        lifecycle.attemptBegan(at: exchange.began)
        setDeadline()
        do {
            let transfer = try host.makeTransfer(for: key, of: route, at: upstream, delegate: self)
            exchange.transfer = transfer
            transfer.start()
        } catch {
            transferEnded(.failed(.unprepared(error)))
        }
    }

    /// The process stops.
    func stop() { perform(lifecycle.stop()) }

    /// Its state, without its readers, which the feeds of all loops have.
    func summary(at now: Instant) -> PullSummary {
        PullSummary(
            route: route.name, path: description.path, upstream: response.head?.upstream, records: feed.log.records,
            bytes: retainedBytes, isPaused: lifecycle.isPaused, lasted: now - began)
    }

    // MARK: Readers

    /// A feed on another loop joins.
    func subscribe(_ feed: NIOLoopBound<PullFeed>, as id: ObjectIdentifier) {
        sendUnsent()
        send(.joined(response.head, self.feed.log), to: feed)
        if let last = response.last { return send(last, to: feed) }
        remotes.add(feed, as: id)
    }

    /// It has no more readers.
    func unsubscribe(_ id: ObjectIdentifier) {
        remotes.remove(id)
        updatePause()
    }

    func readersChanged(by change: Int, in id: ObjectIdentifier) {
        remotes.readersChanged(by: change, in: id)
        if change > 0 {
            _ = lifecycle.joined(change)
        } else {
            lifecycle.left(-change, at: host.now())
            setDeadline()
        }
        updatePause()
    }

    func feedIsFull(_ isFull: Bool, _ id: ObjectIdentifier) {
        remotes.setFull(isFull, in: id == ObjectIdentifier(feed) ? nil : id)
        updatePause()
    }

    /// Waits for readers, or ceases to.
    private func updatePause() {
        let waits = remotes.mustWait(under: description.sharing.settings.lag, localReaders: feed.readerCount)
        guard waits != lifecycle.isPaused else { return }
        lifecycle.setPaused(waits, at: host.now())
        if waits { exchange.transfer?.pause() } else { exchange.transfer?.resume() }
        setDeadline()
    }

    // MARK: The lifecycle

    private func perform(_ action: PullLifecycle.Action) {
        switch action {
        case .none: break
        case .publishHead: if let head = response.head { publish(.head(head)) }
        case .release(let cause):
            table.refuse(key, id, at: host.now())
            exchange.transfer?.cancel()
            finish(.refused(cause))
        case .end: break  // `finish(_:)` follows, with the end
        case .cancelUpstream:
            table.remove(key, id)
            exchange.transfer?.cancel()
            judge(.clientGone, error: nil)
            finish(.ended(SharedEnd(end: .failed(.reset("the shared request was ended")), trailers: [:])))
        case .giveUp(let timeout):
            exchange.transfer?.cancel()
            transferEnded(.failed(.silent(timeout, timeout.text(under: route.settings.timeouts))))
        }
    }

    private func setDeadline() { host.timers.advance(deadline, to: lifecycle.nextDeadline) }

    /// The pull is over, and no longer in the table.
    private func finish(_ event: PullEvent) {
        host.timers.cancel(deadline)
        host.timers.cancel(trial)
        exchange.transfer = nil
        exchange.permit = nil
        response.last = event
        publish(event)
        remotes.removeAll()
        countBytes()
        owner.pullEnded(self)
    }

    private func judge(_ outcome: Outcome, error: UpstreamError?) {
        let now = host.now()
        exchange.permit?.attemptEnded(
            outcome, because: error, status: response.head?.response.status, records: feed.log.next, at: now)
        if outcome == .completed { exchange.permit?.provedGood(at: now) }
    }

    // MARK: Feeds

    private func publish(_ event: PullEvent) {
        sendUnsent()
        for feed in remotes.all { send(event, to: feed) }
        feed.receive(event)
    }

    private func send(_ event: PullEvent, to feed: NIOLoopBound<PullFeed>) {
        feed.eventLoop.execute { feed.value.receiveRemotely(event) }
    }

    private func publish(_ segment: LogSegment, at now: Instant) {
        if !remotes.isEmpty, remotes.queue(segment) {
            host.eventLoop.assumeIsolated().execute { self.sendUnsent() }
        }
        feed.receive(.records([segment]))
        exchange.permit?.delivered(feed.log.next, at: now)
        countBytes()
    }

    /// Sends other loops what has arrived in this turn; a loop that is busy must not have more on its way than a bound.
    private func sendUnsent() {
        let (segments, confirming) = remotes.takeUnsent()
        guard !segments.isEmpty else { return }
        for feed in remotes.all { send(.records(segments), to: feed) }
        let pull = NIOLoopBound(self, eventLoop: host.eventLoop)
        for (id, feed) in confirming {
            feed.eventLoop.execute { pull.eventLoop.execute { pull.value.confirmed(by: id) } }
        }
        updatePause()
    }

    private func confirmed(by id: ObjectIdentifier) {
        remotes.confirmed(by: id)
        updatePause()
    }

    /// Reports the memory of what is retained to the ceiling over all streams.
    private func countBytes() {
        let held = lifecycle.isEnded ? 0 : feed.log.memory + (response.cutter?.heldBytes ?? 0)
        guard held != retainedBytes else { return }
        host.bufferChanged(by: held - retainedBytes)
        retainedBytes = held
    }
}

// MARK: - The upstream

extension Pull: TransferDelegate {
    func transferHead(_ received: UpstreamResponseHead) {
        let settings = route.settings, now = host.now()
        exchange.permit?.upstream?.history.headArrived(after: now - exchange.began)
        let kind = ResponseKind(.init(received, method: .GET), framing: settings.framing, types: settings.types)
        let refusal = Shareability.refusal(
            of: .init(received, isStream: kind.format != nil), by: description.sharing.rules)
        if let format = kind.format, refusal == nil {
            response.begin(
                SharedHead(response: received, format: format, upstream: exchange.permit?.upstream?.name ?? ""),
                on: route)
        }
        // The breaker of the upstream counts the response although no client gets it.
        if refusal != nil {
            exchange.permit?.attemptEnded(.completed, because: nil, status: received.status, at: now)
        }
        perform(lifecycle.headArrived(refusal, at: now))
        setDeadline()
    }

    func transferBytes(_ bytes: UnsafeRawBufferPointer) {
        if response.isCut { owner.recordsArrived(at: self) }
        response.isCut = false
        response.cutter?.push(bytes)
        if response.cutter?.heldBytes ?? 0 >= Self.mostCollected { publishArrived() }
    }

    /// Publishes the whole records of what has arrived in this turn, as one segment.
    func publishArrived() {
        guard !response.isCut, !lifecycle.isEnded else { return }
        response.isCut = true
        let now = host.now(), segment = response.cutter?.cut(at: now), isFirst = feed.log.next == 0
        lifecycle.heard(segment?.records ?? 0, at: now)
        // The clock for the next record runs from the first one on; the timer is never later than its deadline after that.
        if isFirst { setDeadline() }
        if let segment { publish(segment, at: now) }
        if response.cutter?.failure != nil {
            host.metrics(of: route).tally.failed[.oversized] += 1
            exchange.transfer?.cancel()
            transferEnded(.failed(.malformed("a record is longer than the route allows")))
        }
    }

    func transferTrailers(_ trailers: HTTPHeaders) { response.trailers = trailers }

    func transferEnded(_ end: TransferEnd) {
        publishArrived()
        guard !lifecycle.isEnded else { return }
        exchange.transfer = nil
        var outcome = Outcome.completed
        if case .failed(let error) = end {
            outcome = Outcome(error)
            if let upstream = exchange.permit?.upstream {
                route.warnings.failed(error.failure, of: upstream, to: host.process, at: host.now())
            }
            judge(outcome, error: error)
            if triesAnother(after: error) { return }
        } else {
            let now = host.now()
            if let segment = response.cutter?.finish(at: now) { publish(segment, at: now) }
            judge(outcome, error: nil)
        }
        guard lifecycle.upstreamEnded() == .end else { return }
        table.remove(key, id)
        finish(.ended(SharedEnd(end: end, trailers: response.trailers)))
    }

    private func triesAnother(after error: UpstreamError) -> Bool {
        // Its request is a GET without a body.
        var failed = FailedAttempt(number: exchange.attempts, isIdempotent: true)
        failed.isOfOneUpstream = error.isOfOneUpstream
        guard response.head == nil, !lifecycle.isEnded, route.settings.retry?.mayRetry(after: failed) ?? false,
            exchange.permit?.tryAnother(at: host.now()) != nil
        else { return false }
        host.metrics(of: route).tally.retries += 1
        attempt()
        return true
    }
}

extension Pull: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        if timer === trial {
            exchange.permit?.provedGood(at: now)
            return
        }
        // Without readers on any loop for the linger time it ends; one may have entered whose report is on the way.
        if lifecycle.isOverdue(at: now), !table.removeIfUnread(key, id) { lifecycle.readerEntered() }
        perform(lifecycle.deadlinePassed(at: now))
        setDeadline()
    }
}
