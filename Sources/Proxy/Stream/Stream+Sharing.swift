import Flow
import OTLP
import Observability
import Settings
import Upstream

// A stream that shares its request to the upstream with others: where it joins, and where it continues alone.

extension StreamRequest {
    /// The time limits of its stream; without those of the upstream's silence if it shares a request, whose own they are.
    var machineLimits: StreamMachine.Limits {
        var limits = route.machineLimits
        if sharing.isShared {
            (limits.firstByte, limits.firstRecord, limits.betweenRecords, limits.idle) = (nil, nil, nil, nil)
        }
        return limits
    }

    /// Whether its stream requires anything of the upstream's records; the times of those that are shared are the pull's.
    var requiresRecords: Bool { sharing.isShared ? route.settings.endRecord != nil : route.requiresRecords }
}

extension Stream {
    /// Whether a request to the upstream is under way that is the stream's own.
    var isPulling: Bool { upstream.isRunning && !request.sharing.isShared }

    /// Joins the streams that share a request.
    ///
    /// - Returns: Whether it does; if not, it continues alone or has ended.
    func joins(by key: SharingKey, at join: JoinRequest) -> Bool {
        do throws(JoinError) {
            try upstream.join(request, by: key, at: join, as: id)
            return true
        } catch {
            switch error {
            case .refused(let cause):
                logStart()
                continueAlone(because: cause)
            case .notAdmitted(let refusal): end(.refused, problem: Problem(refusal))
            }
            return false
        }
    }

    /// The response that it shares comes from that upstream.
    func joined(_ upstream: String) {
        account.attempt(at: upstream)
        account.trace?.joined(upstream, at: host.now())
    }

    /// Sends a request of its own, because it must not share another's.
    func continueAlone(because cause: SharingRefusal) {
        guard !machine.isFinished else { return }
        let now = host.now()
        request.sharing = .refused(cause)
        machine.setLimits(request.machineLimits, at: now)
        machine.attemptBegan(at: now)
        setDeadline()
        account.metrics.tally.sharingRefusals[cause] += 1
        do throws(AdmissionError) {
            try permit?.takeUpstream(at: now)
        } catch {
            return end(.refused, problem: Problem(error))
        }
        if let time = permit?.trialTime { timers.set(.trial, at: now + time, for: self) }
        for refusal in permit?.wouldRefuse ?? [] { account.noteDryRun(Problem(refusal).kind) }
        if prepareAttempt() { upstream.start() }
    }

    /// Passes on records of a shared stream; those that nothing delays are not searched and copied once more.
    func recordsArrived(_ records: SharedLog.Slice, isLast: Bool) {
        let now = host.now()
        guard upstream.watch == nil, let run = pipe.pass(records, isLast: isLast, at: now) else {
            return records.withBytes { bytesArrived($0) }
        }
        account.sent(run, at: now)
        if pipe.pacer.isStoppedByClient { noteHold(at: now) }
        perform(machine.chunkArrived(at: now, level: .low))
        waitForPace(hasRoom: true)
    }

    /// Records are missing that were no longer retained when the stream had room for them.
    func recordsLost(_ count: Int, after position: Int) {
        account.lost(count)
        pipe.recordsLost(count, after: position)
    }
}
