import NIOCore
import NIOHTTP1

// Requests of HTTP/1.1 from their bytes. One request is read at a time: the next one is read when the client has taken the
// response to this one, and until then at most one read of the socket is kept of it.

extension ConnectionHandler {
    func received(_ bytes: ByteBuffer) {
        bytesArrived()
        guard cycle.keepsBytes else { return }
        requests.append(bytes)
        // What the client sends acknowledges what it has received.
        lookForAcknowledgement()
        readRequests()
    }

    /// Bytes arrived, of either protocol.
    func bytesArrived() {
        if cycle.bytesArrived() { setDeadline(services.limits.headerTime) }
    }

    /// Reads what was received, as far as it may be read now.
    func readRequests() {
        while mayRead {
            do throws(RequestFault) {
                guard let part = try requests.next() else { return }
                switch part {
                case .head(let head): headArrived(head)
                case .body(let bytes): body?.arrived(bytes)
                case .end(let trailers): endArrived(trailers)
                }
            } catch {
                return faultArrived(error)
            }
        }
    }

    /// Whether the socket may be read: what was received is read at once.
    var takesBytes: Bool { requests.isEmpty || mayRead }

    private var mayRead: Bool {
        cycle.mayRead(hasRequest: arrived != nil, isNextRequest: requests.isBetweenRequests)
    }

    private func headArrived(_ decoded: DecodedHead) {
        var request = Request(
            head: decoded.head, bodyLength: decoded.bodyLength, peer: peer.address, isSecure: peer.cipher != nil,
            certificate: peer.certificate)
        request.redirectPort = peer.redirectPort
        let hasBody = request.hasBody
        // What follows CONNECT may be for the tunnel.
        let isTunnel = if case .CONNECT = decoded.head.method { true } else { false }
        let isPersistent = decoded.isPersistent && !isTunnel
        if cycle.headArrived(hasBody: hasBody, isPersistent: isPersistent) { clearDeadline() }
        body = hasBody ? RequestBody(of: request, from: self) : nil
        arrived = request
        // Without its body: whether that is wanted, the handler decides.
        if hasBody { dispatch() }
    }

    private func endArrived(_ trailers: HTTPHeaders) {
        cycle.bodyEnded()
        body?.ended(trailers: trailers)
        dispatch()
    }

    /// Whether a client may begin with HTTP/2 without a negotiation (RFC 9113, section 3.3).
    var takesHTTP2: Bool { services.limits.maximumStreams != nil }

    /// The client speaks HTTP/2: handlers for it replace these.
    ///
    /// - Parameter opening: What the client has sent so far.
    func speakHTTP2(after opening: ByteBuffer) {
        guard let context, case let pipeline = context.pipeline.syncOperations else { return }
        closed()
        do {
            try services.speakHTTP2(services, peer, context.channel)
        } catch {
            context.close(promise: nil)
        }
        pipeline.removeHandler(self, promise: nil)
        if opening.readableBytes > 0 { wire.passOn(opening) }
        pipeline.removeHandler(wire, promise: nil)
    }
}
