import NIOCore

/// Memory that the HTTP/2 connections of a loop use in turn; one for each loop.
final class HTTP2Buffers {
    /// A batch up to this size is sent as a copy; the buffer of frames has at least this capacity.
    static let smallBatch = 4 << 10
    /// A buffer that is not in use has at most this capacity.
    private static let largestKept = 2 * BatchSize.maximum

    /// For the fields of the head that is being sent.
    var fields = HTTP2FieldBlock()
    private var batch = ByteBuffer()
    private var output = ByteBuffer()

    /// A buffer for what a stream writes in a turn.
    func takeBatch() -> ByteBuffer {
        defer { batch = ByteBuffer() }
        return batch
    }

    /// Takes it back; a stream that waits keeps what it has not been able to send.
    func giveBack(batch buffer: inout ByteBuffer) {
        swap(&batch, &buffer)
        buffer = ByteBuffer()
        if batch.capacity > Self.largestKept { batch = ByteBuffer() } else { batch.clear() }
    }

    /// An empty buffer for frames on their way to a socket.
    func takeOutput() -> ByteBuffer {
        var buffer = ByteBuffer()
        swap(&buffer, &output)
        buffer.clear(minimumCapacity: Self.smallBatch)
        return buffer
    }

    /// Takes it back; if a socket has not taken all of it, the next use makes another.
    func giveBack(output buffer: ByteBuffer) { output = buffer }
}
