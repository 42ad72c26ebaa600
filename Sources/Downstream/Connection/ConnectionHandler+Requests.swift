import NIOCore

// Requests of HTTP/1.1 from their bytes. One request is read at a time: the next one is read when the client has taken the
// response to this one, and until then at most one read of the socket is held of it.

extension ConnectionHandler {
    func received(_ bytes: ByteBuffer) {
        bytesArrived()
        switch state {
        case .lingering, .closed: return
        case .waiting, .receiving, .responding, .ending: requests.append(bytes)
        }
        readRequests()
    }

    /// Reads what was received, as far as it may be read now.
    func readRequests() {
        while mayRead {
            do throws(RequestFault) {
                guard let part = try requests.next() else { return }
                switch part {
                case .head(let decoded):
                    headArrived(
                        decoded.head, bodyLength: decoded.bodyLength, isPersistent: decoded.isPersistent)
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
        switch state {
        case .waiting, .receiving: arrived == nil || !requests.isBetweenRequests
        case .responding, .ending: !requests.isBetweenRequests
        case .lingering, .closed: false
        }
    }
}
