import NIOCore

/// What a ``RelayedResponse`` has for the connection's loop: one batch is in flight at a time, and one is collected meanwhile.
struct RelayBatch {
    /// What was ordered before ``bytes``.
    private var orders: [RelayOrder] = []
    private var bytes = ByteBuffer()
    /// Whether a batch was sent whose bytes the client has not taken.
    private(set) var isInFlight = false
    private var bytesInFlight = 0

    /// Body bytes that the client has not taken.
    var pendingBytes: Int { bytesInFlight + bytes.readableBytes }

    /// Bytes that may be collected.
    var free: Int { BatchSize.maximum - bytes.readableBytes }

    /// Whether nothing is collected.
    var isEmpty: Bool { orders.isEmpty && bytes.readableBytes == 0 }

    /// Adds body bytes after everything that was ordered.
    mutating func append(_ more: UnsafeRawBufferPointer) { bytes.writeBytes(more) }

    /// Adds an order after the bytes.
    mutating func append(_ order: RelayOrder) {
        packBytes()
        orders.append(order)
    }

    /// Takes what is collected; it is in flight from now on.
    ///
    /// - Returns: The orders; none if nothing is collected.
    mutating func take() -> [RelayOrder] {
        packBytes()
        guard !orders.isEmpty else { return [] }
        isInFlight = true
        defer { orders = [] }
        return orders
    }

    /// The client has taken everything that was in flight.
    mutating func taken() { (isInFlight, bytesInFlight) = (false, 0) }

    /// Drops what is collected.
    mutating func discard() { (orders, bytes) = ([], ByteBuffer()) }

    private mutating func packBytes() {
        guard bytes.readableBytes > 0 else { return }
        bytesInFlight += bytes.readableBytes
        orders.append(.bytes(bytes))
        bytes = ByteBuffer()
    }
}
