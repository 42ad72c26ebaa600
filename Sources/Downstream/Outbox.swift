package import NIOCore

/// Collects what one socket of the upstream, or one tick of the timers, brings for a client, so that it costs one write.
///
/// One for each loop. libcurl hands over a chunk at a time; writing each to the client cost 14 times more than collecting
/// them. The bytes go into one buffer that is used again as soon as the socket has taken it, so a stream that waits holds
/// none, and a client that keeps up costs no allocation.
package final class Outbox {
    /// The most body bytes in one batch, and so the most that a channel is handed before its client takes them.
    static let capacity = (64 << 10) - prefix - 2
    /// The most that libcurl hands over in one call: `CURL_MAX_WRITE_SIZE`.
    static let largestChunk = 16 << 10
    /// The most of a batch that goes out as a copy of its own.
    ///
    /// A client that does not take a part of a batch must not hold the whole buffer. Above this size a copy would take as
    /// much memory, since capacities are powers of two.
    private static let largestCopy = 32 << 10
    /// The buffer of a batch with one record that is larger than any other batch is not used again.
    private static let largestKept = 2 * (prefix + capacity + 2)
    /// Room in front of the body for the size of a chunk: eight hexadecimal digits and CRLF.
    private static let prefix = 10

    private var buffer: ByteBuffer
    private let allocator: ByteBufferAllocator
    private var isChunked = false
    private var owner: WireHandler?
    private var collected = 0
    private var unflushed: [WireHandler] = []
    private var flushing: [WireHandler] = []
    private var unflushedHTTP2: [HTTP2Connection] = []
    private var flushingHTTP2: [HTTP2Connection] = []
    private var isEnding = false

    package init(allocator: ByteBufferAllocator = ByteBufferAllocator()) {
        self.allocator = allocator
        buffer = allocator.buffer(capacity: Self.prefix + Self.capacity + 2)
    }

    /// How many body bytes a client may be handed now: none while it has not taken the batch before.
    func room(for wire: WireHandler) -> Int {
        guard wire === owner else {
            if wire.stagedBodyBytes > 0 { wire.flush() }
            return wire.isDrained ? Self.capacity : 0
        }
        // Where what libcurl hands over at once no longer fits, send first, to learn whether the client takes it.
        if collected <= Self.capacity - Self.largestChunk { return Self.capacity - collected }
        seal()
        wire.flush()
        return wire.isDrained ? Self.capacity : 0
    }

    func append(_ bytes: UnsafeRawBufferPointer, for wire: WireHandler, isChunked: Bool) {
        if wire !== owner {
            seal()
            begin(for: wire, isChunked: isChunked)
        }
        buffer.writeBytes(bytes)
        collected += bytes.count
    }

    /// Frames what is collected and sends it; where something is in front of it, or the end follows at once, it is written to
    /// its channel, unflushed, so that all of it goes in one system call.
    func seal(beforeEnd: Bool = false) {
        guard collected > 0 else { return }
        let (wire, size) = (owner, collected)
        (owner, collected) = (nil, 0)
        guard let wire else { return }
        if isChunked {
            frame(size)
        } else {
            buffer.moveReaderIndex(to: Self.prefix)
        }
        if !beforeEnd, wire.send(&buffer) { return }
        wire.write(buffer.readableBytes <= Self.largestCopy ? allocator.buffer(buffer: buffer) : buffer)
    }

    /// Sends everything that was collected, and tells each connection whether its client has taken it.
    ///
    /// To be called at the end of whatever may have written; a call from within itself does nothing.
    package func turnEnded() {
        guard !isEnding else { return }
        isEnding = true
        defer { isEnding = false }
        seal()
        while !unflushed.isEmpty || !unflushedHTTP2.isEmpty {
            swap(&unflushed, &flushing)
            for wire in flushing { wire.turnEnded() }
            flushing.removeAll(keepingCapacity: true)
            swap(&unflushedHTTP2, &flushingHTTP2)
            for connection in flushingHTTP2 { connection.turnEnded() }
            flushingHTTP2.removeAll(keepingCapacity: true)
            seal()
        }
    }

    func staged(_ wire: WireHandler) { unflushed.append(wire) }

    /// Calls ``HTTP2Connection/turnEnded()`` at the end of the turn.
    func staged(_ connection: HTTP2Connection) { unflushedHTTP2.append(connection) }

    func forget(_ wire: WireHandler) {
        if wire === owner { (owner, collected) = (nil, 0) }
    }

    private func begin(for wire: WireHandler, isChunked: Bool) {
        // Unshared once the last owner's socket took it; else this makes a new one, and the old goes with the client.
        if buffer.capacity > Self.largestKept {
            buffer = allocator.buffer(capacity: Self.prefix + Self.capacity + 2)
        } else {
            buffer.clear(minimumCapacity: Self.prefix + Self.capacity + 2)
        }
        buffer.moveWriterIndex(to: Self.prefix)
        buffer.moveReaderIndex(to: Self.prefix)
        owner = wire
        self.isChunked = isChunked
    }

    /// Puts the chunk's size in front and CRLF behind (RFC 9112, section 7.1).
    private func frame(_ size: Int) {
        buffer.writeStaticString("\r\n")
        var at = Self.prefix - 2
        buffer.setInteger(UInt16(0x0D0A), at: at)
        var rest = size
        repeat {
            at -= 1
            let digit = UInt8(truncatingIfNeeded: rest & 0xF)
            buffer.setInteger(digit < 10 ? 0x30 + digit : 0x57 + digit, at: at)
            rest >>= 4
        } while rest > 0
        buffer.moveReaderIndex(to: at)
    }
}
