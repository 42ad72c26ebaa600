import Flow
import NIOConcurrencyHelpers
import Settings

// The admission of a stream by limits that count over all replicas, after the limits of this one have admitted it.

extension Stream {
    /// Begins once the limits over all replicas admit the stream; the permit is the stream's until its end.
    ///
    /// - Parameters:
    ///   - permit: Of the limits of this replica.
    ///   - begin: Begins the stream with the permit; not called if it is refused, or has ended meanwhile.
    func share(_ permit: consuming Permit, begin: @escaping (Stream) -> Void) {
        self.permit = consume permit
        guard let replicas = host.replicas, route.countsOverReplicas(request.tier), let keys = route.sharedKeys else {
            return begin(self)
        }
        let client = keys.withLockedValue { $0.keys(of: request.key) }
        let limits = route.sharedLimits(of: client, tier: request.tier)
        self.permit?.countRecords(of: client.digest, over: replicas, at: host.now())
        guard !limits.isEmpty else { return begin(self) }
        let verdict = replicas.start(limits, on: host.eventLoop) { verdict in
            self.decided(verdict, limits, in: replicas, begin: begin)
            self.host.turnEnded()
        }
        if let verdict { decided(verdict, limits, in: replicas, begin: begin) }
    }

    private func decided(
        _ verdict: SharedVerdict, _ limits: [SharedLimit], in replicas: Replicas, begin: (Stream) -> Void
    ) {
        // The client, or weir's own end, was faster than the store.
        let isWaiting = !machine.isFinished && isAdmitted
        switch verdict {
        case .admitted(let basis):
            let held = HeldLimits(limits, basis, in: replicas)
            guard isWaiting else { return held.takeBack() }
            permit?.hold(held, basis)
            begin(self)
        case .refused(let index, let wait):
            guard isWaiting else { return }
            let refusal = AdmissionError(limits[index], wait: wait)
            guard route.settings.streams.isDryRun else { return refuse(because: refusal) }
            account.noteDryRun(Problem(refusal).kind)
            begin(self)
        }
    }

    /// The client's breaker has opened: the other replicas have to reject it as well.
    func announceOpenBreaker(at now: Instant) {
        guard let key = route.breakerKey(of: request.key), let replicas = host.replicas else { return }
        replicas.opened(key, for: route.gate.cooldown(of: request.key, at: now), at: now)
    }

    private func refuse(because refusal: AdmissionError) {
        permit = nil
        guard !waits(after: refusal) else { return }
        end(.refused, problem: Problem(refusal))
    }

    /// Whether the client was promised a response instead, or still waits for the promised one.
    private func waits(after refusal: AdmissionError) -> Bool {
        if let promise {
            promise.refusedAgain(refusal)
            return true
        }
        guard request.preferences.respondsAsync, route.async != nil, refusal.endsByWaiting else { return false }
        if waitForAdmission(refusal) { return true }
        promise = nil
        return false
    }
}
