import Downstream
import Flow
import NIOHTTP1
import Settings

// `Prefer: respond-async` (RFC 7240): rather a place to fetch the stream from than a refusal or a long wait.
//
//     not admitted ──(202)──▶ promised ──a slot──▶ promised, upstream asked ──head──▶ promised, ready ──GET──▶ attached
//     admitted, no head within `wait` ──(202)──────────▲                                  └── expiry ──▶ gone (410)

extension StreamDriver {
    /// How often a stream that waits for a slot looks for one; for tokens of a rate it waits exactly as long as it must.
    private static let slotInterval = Duration.milliseconds(250)

    /// How long the stream waits for its client, once it can be had.
    var asyncExpiry: Duration { route.async?.expiry ?? .zero }

    /// The stream cannot be admitted now: its client is told to fetch it later, and it waits for its turn.
    ///
    /// - Returns: Whether it may wait; else nothing has changed.
    func waitForAdmission(_ refusal: AdmissionError) -> Bool {
        guard let response, promise(to: response, retryAfter: refusal.retryAfter) else { return false }
        admissionEnds = worker.clock() + asyncExpiry
        awaitAdmission(refusal)
        return true
    }

    private func awaitAdmission(_ refusal: AdmissionError) {
        let wait = refusal.isOfSlots ? Self.slotInterval : refusal.retryAfter
        set(\.asyncTimer, at: min(worker.clock() + wait, admissionEnds))
    }

    /// The client would wait so long for the answer; then it is told to fetch it later.
    func promiseUnlessAnswered() {
        guard asked.preferences.respondsAsync, let settings = route.async else { return }
        let wait = asked.preferences.wait.map { min(.seconds($0), .seconds(300)) } ?? settings.wait
        set(\.asyncTimer, at: began + wait)
    }

    func asyncTimeCame(at now: Instant) {
        guard permit == nil else {
            if let response { _ = promise(to: response, retryAfter: .seconds(1)) }
            return
        }
        guard now < admissionEnds else { return perform(machine.end(.clientGone)) }
        do throws(AdmissionError) {
            // The terms stay as they were told; only that there is room counts now.
            _ = try worker.shared.granted(terms, openStreams: worker.openStreams)
            let permit = try route.gate.admit(asked.key, at: now)
            machine = StreamMachine(limits: route.machineLimits, at: now)
            machine.detached(until: pendingEnds(from: now))
            if let heldSince { machine.clientHolds(at: heldSince) }
            start(permit)
        } catch {
            awaitAdmission(error)
        }
    }

    /// Answers 202, and goes on without a client.
    ///
    /// - Returns: Whether the client may have one more such stream; else nothing has changed.
    private func promise(to response: any ClientResponse, retryAfter: Duration) -> Bool {
        // Of a proxy that stops, nothing can be fetched later; and the rest of a body comes on this connection.
        guard !worker.shared.isDraining, asked.body?.isWhole ?? true, route.promises.enter(asked.key.text) else {
            return false
        }
        isPromised = true
        asked.body?.letGo()
        worker.register(self)
        let now = worker.clock()
        machine.detached(until: pendingEnds(from: now))
        response.delegate = nil
        self.response = nil
        worker.shared.answer(state(at: now), retryAfter: retryAfter, isPromise: true, response: response)
        if permit != nil { armDeadline() }
        return true
    }

    /// Before it has answered, the upstream's own time counts, and the client's only where that has no limit.
    private func pendingEnds(from now: Instant) -> Instant {
        now + (route.settings.timeouts.firstByte.map { $0 + .seconds(1) } ?? asyncExpiry)
    }

    /// A promised stream that ended before it began waits for its client, to be told, as long as one that is ready.
    func keepFailure(at now: Instant) {
        guard head == nil, machine.isDetached, !machine.isFinished else { return }
        machine.detached(until: now + asyncExpiry)
        armDeadline()
    }

    /// The promise is kept, or nobody came for it.
    func keepPromise() {
        guard isPromised else { return }
        isPromised = false
        route.promises.left(asked.key.text)
    }
}

extension AdmissionError {
    /// Whether who waits may be admitted: for lack of a slot or of tokens, and for nothing worse.
    var endsByWaiting: Bool { isOfSlots || isOfTokens }

    /// Whether a stream's end makes room.
    var isOfSlots: Bool {
        switch self {
        case .tooManyStreamsOfClient, .tooManyStreamsOfRoute: true
        case .tooManyStarts, .recordBudgetSpent, .upstreamBusy, .clientBreakerOpen, .upstreamBreakerOpen,
            .upstreamDown, .proxyFull:
            false
        }
    }

    private var isOfTokens: Bool {
        switch self {
        case .tooManyStarts, .recordBudgetSpent: true
        case .tooManyStreamsOfClient, .tooManyStreamsOfRoute, .upstreamBusy, .clientBreakerOpen, .upstreamBreakerOpen,
            .upstreamDown, .proxyFull:
            false
        }
    }
}
