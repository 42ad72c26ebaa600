import Flow
import NIOCore

/// The bytes that were received on a connection of HTTP/1.1 and have not been read, with the decoder that reads them.
struct RequestBuffer {
    /// More than one event of the socket brings (four reads of 16 KiB, and what TLS buffers of a record): more arrives only
    /// from a client that has closed its connection, when the channel reads the rest.
    private static let most = 128 << 10

    private var decoder: RequestDecoder
    private var bytes = ByteBuffer()

    /// - Parameter limit: The most bytes of a head.
    init(limit: ByteCount) { decoder = RequestDecoder(limit: limit.bytes) }

    var isEmpty: Bool { bytes.readableBytes == 0 }

    /// Whether what follows belongs to the next request.
    var isBetweenRequests: Bool { decoder.isBetweenRequests }

    /// Whether a part of the next request's head was received.
    var hasBegunHead: Bool { decoder.hasBegunHead || decoder.isBetweenRequests && !isEmpty }

    mutating func append(_ more: ByteBuffer) {
        guard !decoder.hasFailed else { return }
        if isEmpty {
            bytes = more
        } else if bytes.readableBytes + more.readableBytes <= Self.most {
            bytes.writeImmutableBuffer(more)
        } else {
            discard()
        }
    }

    /// Reads the next part; `nil` if it has not arrived.
    mutating func next() throws(RequestFault) -> RequestPart? {
        // An idle connection has no buffer.
        defer { if isEmpty { bytes = ByteBuffer() } }
        return try decoder.next(from: &bytes)
    }

    /// Reads no more of this connection.
    mutating func discard() {
        decoder.fail()
        bytes = ByteBuffer()
    }
}
