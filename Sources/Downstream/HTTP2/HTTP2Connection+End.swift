import Flow
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

// How a connection of HTTP/2 ends: in time, by a drain, or for what its client sent.

extension HTTP2Connection {
    /// Counts what costs work and asks for nothing; the connection ends if there is too much of it.
    func note(_ kind: HTTP2AbuseLimits.Kind) {
        if !abuse.admits(kind, at: services.clock()) { terminate(because: kind.text) }
    }

    func terminate(because reason: String) {
        guard !isTerminated else { return }
        (isTerminated, fault) = (true, reason)
        session?.terminate(.enhanceYourCalm)
    }

    /// The session ends the connection with an error.
    func failed(because reason: String) {
        if fault == nil { fault = reason }
    }

    func fail(_ error: HTTP2Session.Failure) {
        failed(because: error.reason)
        reportFault()
        cut()
    }

    private func reportFault() {
        guard let fault else { return }
        services.handler.connectionFailed(peer.address, because: fault)
    }

    /// Closes once GOAWAY was sent or received, and nothing is left to send.
    func endIfDone() {
        guard let session, !session.isBusy, !isLeaving else { return }
        let isStuck = isTerminated && !isWritable
        guard isStuck || (session.isDone && (isWritable || streams.isEmpty)) else { return }
        reportFault()
        if isStuck { reset() } else { cut() }
    }

    /// Announces the end of the connection to the client, and closes it (RFC 9113, section 6.8).
    func leave() {
        guard let session, let context, !isLeaving else { return }
        isLeaving = true
        session.refuseRequests()
        flush()
        if context.channel.bufferedBytes == 0 { context.close(promise: nil) } else { reset() }
    }

    /// Closes without what the kernel still holds for a client that does not read.
    private func reset() {
        if let socket = context?.channel as? any SocketOptionProvider {
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
        }
        cut()
    }

    func startClock(_ time: Duration) {
        deadline = services.clock() + time
        // Set only if it must fire earlier than it would: most deadlines are replaced long before they come.
        if !timer.isSet || deadline < timer.due { services.timers.set(timer, at: deadline) }
    }
}

extension HTTP2Connection: ClientConnection {
    /// Requests that are on their way when the client learns of it are refused, and none is lost without an answer.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
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
        guard session != nil, deadline != .distantFuture else { return }
        if now < deadline { services.timers.set(timer, at: deadline) } else { leave() }
    }
}
