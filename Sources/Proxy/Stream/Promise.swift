import Downstream
import Flow
import Settings

/// The promise of a response that its client fetches later: `Prefer: respond-async` (RFC 7240, section 4.1).
///
///     not admitted ──(202)──▶ promised ──a slot──▶ promised, upstream requested ──head──▶ ready ──GET──▶ attached
///     admitted, no head within `wait` ──(202)──────────▲                            └── expiry ──▶ gone (410)
///
/// Only a stream whose client sent the preference has one.
final class Promise {
    /// The interval at which a stream without a slot tries to be admitted; one without a start waits exactly as long as it
    /// must.
    private static let slotInterval = Duration.milliseconds(250)
    /// The longest `wait` that is honoured.
    private static let longestWait = Duration.seconds(300)

    /// Owns this.
    private unowned let stream: Stream
    private lazy var timer = LoopTimer(target: self)
    /// Whether the client was promised the response and has not fetched it; counted against its `per_client`.
    private(set) var isMade = false
    /// Until when the stream may wait to be admitted.
    private var admissionEnds = Instant.distantPast

    init(of stream: Stream) { self.stream = stream }

    private var host: any StreamHost { stream.host }

    // MARK: Make it

    /// The stream cannot be admitted now: the client is answered, and the stream waits for its admission.
    ///
    /// - Returns: Whether it may; if not, nothing has changed.
    func waitForAdmission(_ refusal: AdmissionError) -> Bool {
        guard make(retryAfter: refusal.retryAfter) else { return false }
        admissionEnds = host.now() + stream.promiseExpiry
        tryAgain(after: refusal)
        return true
    }

    /// The stream is admitted: the client is answered unless the head arrives within its `wait`, or the route's.
    func waitForHead(atMost settings: Route.Async) {
        let wait = stream.request.preferences.wait.map { min(.seconds($0), Self.longestWait) } ?? settings.wait
        host.timers.set(timer, at: stream.began + wait)
    }

    /// Answers 202; the stream continues without a client.
    ///
    /// - Returns: Whether the client may have one more such stream; if not, nothing has changed.
    private func make(retryAfter: Duration) -> Bool {
        let request = stream.request, body = stream.upstream.body
        // A proxy that stops keeps nothing; and the rest of a body arrives on this connection.
        guard let response = stream.pipe.response, !host.isDraining, body?.isWhole ?? true,
            request.route.promises.enter(request.key.text)
        else { return false }
        isMade = true
        // Before the connection is read again, which may find that it is gone: the stream no longer depends on it.
        response.delegate = nil
        body?.releaseSource()
        host.register(stream)
        let now = host.now()
        stream.awaitFetch(until: pendingEnds(from: now))
        OwnAnswer(StreamState(of: stream, at: now), promisedAt: host.location(of: stream.id), retryAfter: retryAfter)
            .send(to: response, for: request.request, date: host.dateText)
        stream.account.promised(status: 202)
        return true
    }

    /// Before the head, the upstream's own deadline applies; the client's only if that is unlimited.
    private func pendingEnds(from now: Instant) -> Instant {
        let settings = stream.route.settings
        // A shared request that no upstream answers in time is sent to the next one, with the whole time again.
        let attempts = stream.request.sharing.isShared ? settings.retry?.attempts ?? 1 : 1
        return now + (settings.timeouts.firstByte.map { $0 * attempts + .seconds(1) } ?? stream.promiseExpiry)
    }

    /// A promised stream was admitted by this replica, and not by the limits over all.
    func refusedAgain(_ refusal: AdmissionError) { tryAgain(after: refusal) }

    // MARK: Keep it

    func headArrived() { stop() }

    /// No attempt at admission or answer follows.
    func stop() { host.timers.cancel(timer) }

    /// The client has fetched the response, or did not come for it.
    func kept() {
        guard isMade else { return }
        isMade = false
        stream.route.promises.removed(stream.request.key.text)
    }

    private func tryAgain(after refusal: AdmissionError) {
        let wait = refusal.isOfSlots ? Self.slotInterval : refusal.retryAfter
        host.timers.set(timer, at: min(host.now() + wait, admissionEnds))
    }
}

extension Promise: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        let stream = stream
        guard !stream.isAdmitted else {
            _ = make(retryAfter: .seconds(1))
            return
        }
        guard now < admissionEnds else { return stream.end(.clientGone) }
        do throws(AdmissionError) {
            // The terms stay as they were granted; what counts now is that there is room.
            _ = try host.granted(stream.request.terms)
            let permit = try stream.request.admit(at: now)
            let end = pendingEnds(from: now)
            stream.share(permit) { $0.beginDetached(until: end) }
        } catch {
            tryAgain(after: error)
        }
    }
}

extension Stream {
    /// How long the stream waits for its client once it is ready.
    var promiseExpiry: Duration { route.async?.expiry ?? .zero }

    /// Promises the response if the head does not arrive in time and the client prefers that.
    func promiseUnlessAnswered() {
        guard request.preferences.respondsAsync, let settings = route.async else { return }
        let promise = Promise(of: self)
        self.promise = promise
        promise.waitForHead(atMost: settings)
    }

    /// Promises the response although the stream cannot be admitted now.
    ///
    /// - Returns: Whether it may wait; if not, nothing has changed.
    func waitForAdmission(_ refusal: AdmissionError) -> Bool {
        let promise = Promise(of: self)
        self.promise = promise
        return promise.waitForAdmission(refusal)
    }

    /// The client was answered, and fetches the response by then.
    fileprivate func awaitFetch(until end: Instant) {
        machine.detached(until: end)
        pipe.detach()
        if isAdmitted { setDeadline() }
    }

    /// The stream is admitted while its client is away.
    fileprivate func beginDetached(until end: Instant) {
        machine = StreamMachine(limits: request.machineLimits, at: host.now())
        machine.detached(until: end)
        if let since = account.heldSince { machine.clientPaused(at: since) }
        begin()
    }
}

extension AdmissionError {
    /// Whether a client that waits may be admitted: for lack of a slot or of a start, and for nothing worse.
    var endsByWaiting: Bool {
        switch self {
        case .tooManyStreamsOfClient, .tooManyStreamsOfRoute, .tooManyStarts, .recordBudgetSpent, .recordQuotaSpent:
            true
        case .upstreamBusy, .clientBreakerOpen, .upstreamBreakerOpen, .upstreamDown, .upstreamDrained, .proxyFull:
            false
        }
    }

    /// Whether the end of a stream makes room.
    var isOfSlots: Bool {
        switch self {
        case .tooManyStreamsOfClient, .tooManyStreamsOfRoute: true
        case .tooManyStarts, .recordBudgetSpent, .recordQuotaSpent, .upstreamBusy, .clientBreakerOpen,
            .upstreamBreakerOpen, .upstreamDown, .upstreamDrained, .proxyFull:
            false
        }
    }
}
