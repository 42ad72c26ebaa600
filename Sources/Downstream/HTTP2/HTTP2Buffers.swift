import NIOCore

/// Memory that the HTTP/2 connections of a loop use in turn; one for each loop.
final class HTTP2Buffers {
    /// More than this is kept by no buffer that is not in use.
    private static let keptCapacity = 2 * BatchSize.maximum

    /// For the fields of the head that is being sent.
    var fields = HTTP2FieldBlock()
    private var batch = ByteBuffer()
    private var output = ByteBuffer()

    /// A buffer for what a stream is given in a turn.
    func takeBatch() -> ByteBuffer {
        defer { batch = ByteBuffer() }
        return batch
    }

    /// Takes it back; what a stream that waits has not been able to send stays with the stream.
    func giveBack(batch buffer: inout ByteBuffer) {
        swap(&batch, &buffer)
        buffer = ByteBuffer()
        if batch.capacity > Self.keptCapacity { batch = ByteBuffer() } else { batch.clear() }
    }

    /// A buffer for frames on their way to a socket.
    func takeOutput() -> ByteBuffer {
        defer { output = ByteBuffer() }
        return output
    }

    /// Takes it back; if a socket has not taken all of it, the next use makes another.
    func giveBack(output buffer: ByteBuffer) { output = buffer }
}
