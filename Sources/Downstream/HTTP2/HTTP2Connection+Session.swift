import NIOCore

// What the session reports while it reads or writes. Nothing here reads, writes or ends the connection: libnghttp2 is in the
// middle of it. A stream's body alone is passed on at once, since its bytes are not kept.

extension HTTP2Connection {
    // MARK: What arrives

    func fieldsBegan(on id: Int32, ofRequest isRequest: Bool) {
        guard isRequest else {
            receiving = streams[id]
            receiving?.trailersBegan()
            return
        }
        receiving = HTTP2Stream(id, of: self)
    }

    func fieldArrived(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        receiving?.fieldArrived(name, value)
    }

    func fieldsEnded(on id: Int32, endsStream: Bool) {
        guard let stream = receiving, stream.id == id else { return }
        receiving = nil
        if stream.headArrived(endsStream: endsStream) {
            opened(stream)
            arrived.append(stream)
        } else if endsStream {
            stream.bodyEnded()
        }
    }

    func bytesArrived(_ bytes: UnsafeRawBufferPointer, on id: Int32) {
        // The connection's window is for all streams: one that waits must not stop the others.
        session?.consume(bytes.count)
        if let stream = streams[id] { stream.bytesArrived(bytes) } else { session?.consume(bytes.count, of: id) }
    }

    func bodyEnded(on id: Int32) { streams[id]?.bodyEnded() }

    func streamClosed(_ id: Int32) {
        guard let stream = streams[id] else { return }
        if stream.wasClosed() { note(.resets) }
    }

    // MARK: What is sent

    func nextPiece(of id: Int32, upTo limit: Int) -> HTTP2Piece {
        streams[id]?.nextPiece(upTo: limit) ?? .broken
    }

    func write(_ count: Int, of id: Int32, to output: inout ByteBuffer) {
        abuse.frameSent()
        streams[id]?.write(count, to: &output)
    }

    /// A head or trailers cannot be sent; the stream is reset.
    func headFailed(on id: Int32) { streams[id]?.hasFailed = true }

    /// A head, trailers, or the end of a body are on their way to the socket.
    func partSent(on id: Int32, endsStream: Bool) { streams[id]?.partSent(endsStream: endsStream) }
}
