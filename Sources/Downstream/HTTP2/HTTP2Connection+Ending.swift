import Flow
import HTTPText
import NIOCore

// How a connection of HTTP/2 ends (``HTTP2Ending``).

extension HTTP2Connection {
    /// Counts what costs work and requests nothing; the connection ends if there is too much of it.
    func note(_ kind: HTTP2AbuseLimits.Kind) {
        if !ending.admits(kind, at: services.clock()) { terminate(because: kind.text) }
    }

    func terminate(because reason: String) {
        if ending.terminate(because: reason) { session?.terminate(.enhanceYourCalm) }
    }

    func fail(_ error: HTTP2Session.Failure) {
        ending.failed(because: error.reason)
        reportFault()
        cut()
    }

    private func reportFault() {
        guard let fault = ending.fault else { return }
        services.handler.connectionFailed(peer.address.text, because: fault)
    }

    /// Closes once GOAWAY was sent or received, and nothing is left to send.
    func endIfDone() {
        guard let session, !session.isBusy else { return }
        switch ending.verdict(isDone: session.isDone, isWritable: isWritable, hasStreams: !streams.isEmpty) {
        case .continues: break
        case .closes:
            reportFault()
            cut()
        case .resets:
            reportFault()
            abort()
        }
    }

    /// Announces the end of the connection to the client, and closes it (RFC 9113, section 6.8).
    func leave() {
        guard let session, let context, ending.leave() else { return }
        session.refuseRequests()
        flush()
        if context.channel.bufferedBytes == 0 { context.close(promise: nil) } else { abort() }
    }

    /// Closes at once with a reset: what was written and not taken is dropped.
    private func abort() {
        context?.channel.resetWhenClosed()
        cut()
    }
}

extension HTTP2Connection: ClientConnection {
    /// Requests that are on their way when the client receives GOAWAY are refused, so that each has an answer.
    func drain() {
        guard ending.drain() else { return }
        if streams.isEmpty { return leave() }
        session?.announceEnd()
        flush()
    }

    func cut() {
        if let cipher = peer.cipher { cipher.cut() } else { context?.close(promise: nil) }
    }
}

extension HTTP2Connection: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        if session != nil, deadline.hasPassed(at: now, in: services.timers) { leave() }
    }
}
