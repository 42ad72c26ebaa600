import HTTPText
package import NIOCore
import NIOHTTP1

/// A connection that collects its bytes itself, as one of HTTP/2 does, and sends them at the end of the turn.
protocol StagedConnection: AnyObject {
    /// The turn is over; called once for each ``Outbox/staged(_:)``.
    func turnEnded()
}

/// Collects what one socket of the upstream, or one tick of the timers, brings for a client, so that it costs one write.
///
/// Over HTTP/1.1 the head and the end of a response as well: `head | gap for the size of the chunk | body | end`. The head is
/// moved up to the size when that is known.
///
/// One for each loop. libcurl delivers a chunk at a time; writing each to the client cost 14 times more than collecting them.
/// The bytes go into one buffer that is used again as soon as the socket has taken it, so a stream that waits has none, and a
/// client that keeps up costs no allocation.
package final class Outbox {
    /// The most of a batch that goes out as a copy of its own.
    ///
    /// A client that does not take a part of a batch must not occupy the whole buffer. Above this size a copy would take as
    /// much memory, since capacities are powers of two.
    private static let largestCopy = 32 << 10
    /// The buffer of a batch with one record that is larger than any other batch is not used again.
    private static let largestKept = 2 * bufferSize
    /// Room for a head; the buffer grows for a larger one.
    private static let usualHead = 4 << 10

    private var buffer: ByteBuffer
    private let allocator: ByteBufferAllocator
    private var isChunked = false
    private var owner: WireHandler?
    /// Bytes of heads before the body.
    private var headBytes = 0
    /// Body bytes.
    private var collected = 0
    private var unflushed: [WireHandler] = []
    private var staged: [any StagedConnection] = []
    private var isEnding = false
    /// Called before what was collected is sent: the time to write what was kept until now.
    package var turnEnds: () -> Void = {}

    package init(allocator: ByteBufferAllocator = ByteBufferAllocator()) {
        self.allocator = allocator
        buffer = allocator.buffer(capacity: Self.bufferSize)
    }

    private static var bufferSize: Int {
        usualHead + ChunkFraming.prefix + BatchSize.maximum + ChunkFraming.suffix
    }

    /// How many body bytes may be written for a client now: none while it has not taken the batch before.
    func room(for wire: WireHandler) -> Int {
        guard wire === owner else {
            if wire.stagedBodyBytes > 0 { wire.flush() }
            return wire.isDrained ? BatchSize.maximum : 0
        }
        // If the most that libcurl delivers at once does not fit, send first: then it is known whether the client takes it.
        if collected <= BatchSize.maximum - BatchSize.largestPiece { return BatchSize.maximum - collected }
        seal()
        wire.flush()
        return wire.isDrained ? BatchSize.maximum : 0
    }

    /// Adds a head, final or informational, before the body.
    ///
    /// - Parameters:
    ///   - status: Its status.
    ///   - version: The client's version of HTTP/1.
    ///   - headers: Its fields.
    ///   - framing: The fields of the connection.
    ///   - wire: The client's connection.
    func appendHead(
        _ status: HTTPResponseStatus, in version: HTTPVersion, headers: HTTPHeaders,
        framing: ResponseEncoder.Framing = .init(), for wire: WireHandler
    ) {
        if wire !== owner || collected > 0 { begin(for: wire) }
        ResponseEncoder.write(status, in: version, headers, framing: framing, to: &buffer)
        headBytes = buffer.writerIndex
    }

    func append(_ bytes: UnsafeRawBufferPointer, for wire: WireHandler, isChunked: Bool) {
        guard !bytes.isEmpty else { return }
        if wire !== owner { begin(for: wire) }
        var gap = 0
        if collected == 0 {
            self.isChunked = isChunked
            if isChunked { gap = ChunkFraming.prefix }
        }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: gap + bytes.count + ChunkFraming.suffix) { target in
            UnsafeMutableRawBufferPointer(rebasing: target[gap...]).copyMemory(from: bytes)
            return gap + bytes.count
        }
        collected += bytes.count
    }

    /// Sends a chunk that was framed before, without a copy; if that must wait for other bytes, adds its content to them.
    func append(_ chunk: WholeChunk, for wire: WireHandler) {
        let sent = wire === owner ? 0 : chunk.withFramedBytes { wire.send($0) }
        guard sent > 0 else { return chunk.withBytes { append($0, for: wire, isChunked: true) } }
        chunk.withFramedBytes { bytes in
            guard sent < bytes.count else { return }
            // What the client does not take at once is memory of its own, and counts as that.
            let rest = allocator.buffer(bytes: UnsafeRawBufferPointer(rebasing: bytes[sent...]))
            wire.write(rest, bodyBytes: min(chunk.count, rest.readableBytes))
        }
    }

    /// Ends a chunked response, and sends what is collected of it.
    func end(for wire: WireHandler, trailers: HTTPHeaders) {
        if wire !== owner { begin(for: wire) }
        if collected > 0 { frame() }
        ResponseEncoder.writeEnd(trailers: trailers, to: &buffer)
        sendCollected()
    }

    /// Frames what is collected and sends it.
    func seal() {
        guard owner != nil else { return }
        if isChunked, collected > 0 { frame() }
        sendCollected()
    }

    /// What the socket does not take, or what cannot go past the channel, is written to the channel and not flushed.
    private func sendCollected() {
        guard let wire = owner else { return }
        let body = collected
        (owner, collected, headBytes) = (nil, 0, 0)
        guard buffer.readableBytes > 0 else { return }
        buffer.moveReaderIndex(forwardBy: buffer.withUnsafeReadableBytes { wire.send($0) })
        guard buffer.readableBytes > 0 else { return }
        let isSmall = buffer.readableBytes <= Self.largestCopy
        wire.write(isSmall ? allocator.buffer(buffer: buffer) : buffer, bodyBytes: min(body, buffer.readableBytes))
    }

    /// Sends everything that was collected, and reports to each connection whether its client has taken it.
    ///
    /// To be called at the end of everything that may have written; a call from within itself does nothing.
    package func turnEnded() {
        guard !isEnding else { return }
        isEnding = true
        defer { isEnding = false }
        turnEnds()
        seal()
        // Each may write, to others as well: the lists grow while they are gone through.
        var (wires, connections) = (0, 0)
        while wires < unflushed.count || connections < staged.count {
            while wires < unflushed.count {
                unflushed[wires].turnEnded()
                wires += 1
            }
            while connections < staged.count {
                staged[connections].turnEnded()
                connections += 1
            }
            seal()
        }
        if wires > 0 { unflushed.removeAll(keepingCapacity: true) }
        if connections > 0 { staged.removeAll(keepingCapacity: true) }
    }

    func staged(_ wire: WireHandler) { unflushed.append(wire) }

    /// Calls ``StagedConnection/turnEnded()`` at the end of the turn.
    func staged(_ connection: any StagedConnection) { staged.append(connection) }

    func forget(_ wire: WireHandler) {
        if wire === owner { (owner, collected, headBytes) = (nil, 0, 0) }
    }

    /// Sends what was collected before, and collects for this one.
    private func begin(for wire: WireHandler) {
        seal()
        // Not shared once the last owner's socket took it; otherwise this makes a new one, and the client keeps the old.
        if buffer.capacity > Self.largestKept {
            buffer = allocator.buffer(capacity: Self.bufferSize)
        } else {
            buffer.clear(minimumCapacity: Self.bufferSize)
        }
        owner = wire
    }

    /// Frames what is collected as a chunk, and moves the head up to it.
    private func frame() {
        let (headBytes, collected) = (headBytes, collected)
        let start = buffer.withVeryUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { preconditionFailure("a buffer with a body has memory") }
            let body = base + headBytes + ChunkFraming.prefix
            let start = ChunkFraming.prefix - ChunkFraming.write(around: body, count: collected)
            if headBytes > 0 { base.advanced(by: start).copyMemory(from: base, byteCount: headBytes) }
            return start
        }
        buffer.moveWriterIndex(forwardBy: ChunkFraming.suffix)
        buffer.moveReaderIndex(to: start)
    }
}
