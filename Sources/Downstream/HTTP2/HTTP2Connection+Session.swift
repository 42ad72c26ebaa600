import NIOCore

// What the session reports while it reads or writes. Nothing here reads, writes or ends the connection, because libnghttp2 is
// running. Only the bytes of a body are passed on at once, because they are not kept.

extension HTTP2Connection {
    func fieldsBegan(on id: Int32, ofRequest isRequest: Bool) {
        streams.receiving = isRequest ? HTTP2Stream(id, of: self) : streams[id]
        if !isRequest { streams.receiving?.trailersBegan() }
    }

    func fieldsEnded(on id: Int32, endsStream: Bool) {
        guard let stream = streams.receiving, stream.id == id else { return }
        streams.receiving = nil
        if stream.fieldsEnded(endsStream: endsStream) {
            opened(stream)
        } else if endsStream {
            stream.bodyEnded()
        }
    }

    func bytesArrived(_ bytes: UnsafeRawBufferPointer, on id: Int32) {
        // The connection's window is for all streams: one that waits must not stop the others.
        session?.consume(bytes.count)
        if let stream = streams[id] { stream.bytesArrived(bytes) } else { session?.consume(bytes.count, of: id) }
    }

    func streamClosed(_ id: Int32) {
        if let stream = streams[id], stream.closedBySession() { note(.resets) }
    }

    /// Moves bytes of a response into a frame.
    func write(_ count: Int, of id: Int32, to output: inout ByteBuffer) {
        ending.frameSent()
        streams[id]?.write(count, to: &output)
    }
}
