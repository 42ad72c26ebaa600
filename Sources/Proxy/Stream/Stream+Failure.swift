import Flow
import OTLP
import Settings

// Failures of the upstream, as they are logged and counted.

extension Stream {
    /// An attempt failed.
    func upstreamFailed(_ failure: UpstreamFailure, at now: Instant) {
        account.failed(failure)
        account.trace?.attemptEnded(failure, at: now)
        if let upstream = permit?.upstream { route.warnings.failed(failure, of: upstream, to: host.process, at: now) }
    }

    /// The upstream sent a record that is longer than the route allows.
    func recordWasTooLong(_ failure: RecordFramer.Failure, at now: Instant) {
        account.recordWasTooLong(failure)
        if let failure = account.failure { upstreamFailed(failure, at: now) }
    }

    /// The stream has ended: reports the timeout that ended it, if it was one of the upstream's.
    func noteTimeout(at now: Instant) {
        guard let expired = machine.expired, account.failure == nil else { return }
        let failure = UpstreamFailure(.timeout, expired.text(under: route.settings.timeouts))
        guard machine.hasUpstreamFallenSilent else { return account.failed(failure) }
        upstreamFailed(failure, at: now)
    }
}

extension UpstreamTimeout {
    /// The limit that was reached, in words.
    func text(under timeouts: Route.Timeouts) -> String {
        let (limit, text): (Duration?, String) =
            switch self {
            case .firstByte: (timeouts.firstByte, "no response in")
            case .firstRecord: (timeouts.firstRecord, "no record in")
            case .betweenRecords: (timeouts.betweenRecords, "no record for")
            case .idle: (timeouts.idle, "no bytes for")
            case .pause: (timeouts.pause, "paused for")
            case .total: (timeouts.total, "not complete in")
            }
        return limit.map { "\(text) \($0.text) (timeouts.\(rawValue))" } ?? "timeouts.\(rawValue)"
    }
}
