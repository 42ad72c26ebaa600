import NIOCore

// Which protocol the client speaks is clear only when it has begun to, and how a connection ends depends on it.

extension ConnectionHandler {
    /// Whether a client may begin with HTTP/2 without having been asked.
    var takesHTTP2: Bool { services.limits.maximumStreams != nil }

    /// The client speaks HTTP/2: this goes, and others take its place.
    ///
    /// - Parameter opening: What the client has sent so far.
    func speakHTTP2(after opening: ByteBuffer) {
        guard let context, case let pipeline = context.pipeline.syncOperations else { return }
        state = .closed
        services.timers.cancel(timer)
        services.closed(self)
        do {
            try services.speakHTTP2(services, peer, context.channel)
        } catch {
            context.close(promise: nil)
        }
        pipeline.removeHandler(self, promise: nil)
        if opening.readableBytes > 0 { wire.handOn(opening) }
        pipeline.removeHandler(wire, promise: nil)
    }
}

extension ConnectionHandler: ClientConnection {
    func drain() {
        if isIdle { close() }
    }

    func cut() { wire.cut() }
}
