import Downstream
import Flow
import NIOHTTP1
import Observability
import Settings
import Upstream

// Another attempt, at another upstream.

extension Stream {
    /// Sends the request to another upstream, if the route permits it.
    ///
    /// - Parameters:
    ///   - error: Why the last attempt failed; `nil` if it sent no record in time.
    ///   - now: The time.
    /// - Returns: Whether it does, and nothing has ended; if not, no more of the request's body is sent.
    func triesAnother(after error: UpstreamError?, at now: Instant) -> Bool {
        guard mayTryAnother(after: error, at: now) else {
            upstream.endBody()
            return false
        }
        account.problem = nil
        machine.attemptBegan(at: now)
        setDeadline()
        if prepareAttempt() { upstream.start() }
        return true
    }

    private func mayTryAnother(after error: UpstreamError?, at now: Instant) -> Bool {
        guard head == nil, !machine.isFinished, let retry = route.settings.retry else { return false }
        var attempt = FailedAttempt(
            number: account.totals.attempts, isIdempotent: request.request.head.method.isIdempotent)
        attempt.isOfOneUpstream = error?.isOfOneUpstream ?? true
        attempt.wasSent = upstream.wasSent
        attempt.hasWholeBody = upstream.canRepeatBody
        guard retry.mayRetry(after: attempt) else { return false }
        judgeUpstream(error.map { Outcome($0) } ?? .upstreamTimeout, at: now)
        return permit?.tryAnother(at: now) != nil
    }
}

extension StreamRequest {
    /// The most bytes of its body that are kept for another attempt.
    var keptBytes: Int {
        guard body != nil else { return 0 }
        let route = route
        guard route.settings.upstreams.count > 1, let retry = route.settings.retry else { return 0 }
        return retry.keptBytes(
            isIdempotent: request.head.method.isIdempotent, length: request.bodyLength.bytes)
    }
}

extension UpstreamError {
    /// Whether another upstream may succeed; a response that one began to send wrongly, another would send as well.
    var isOfOneUpstream: Bool {
        switch self {
        case .unresolved, .refused, .unreachable, .connectTimeout, .handshake, .untrusted, .reset, .truncated,
            .closedWhileIdle, .silent:
            true
        case .malformed: false
        }
    }
}
