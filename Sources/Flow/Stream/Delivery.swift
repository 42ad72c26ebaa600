/// How far a client is with its response, in bytes.
package struct Delivery: Equatable, Sendable {
    /// The most that is handed over at once, unless a single record is larger.
    package static let largestBatch = ByteCount.kibibytes(64)

    /// What its socket has taken of the body.
    package let sent: Int
    /// Of what was handed over at once, how much its socket has not taken.
    package let pending: Int
    private let bound: Int

    /// - Parameters:
    ///   - handedOver: Bytes of the body that were written to the client.
    ///   - pending: How many of those its socket has not taken.
    ///   - bound: What the stream may hold.
    package init(handedOver: Int, pending: Int, bound: ByteCount) {
        sent = handedOver - pending
        self.pending = pending
        self.bound = bound.bytes
    }

    /// How much of a record that is handed over alone is progress: a quarter, or half of the bound where that is less.
    ///
    /// `nil` for a batch of several records, each of which is progress by leaving the queue.
    var step: Int? {
        pending > Self.largestBatch.bytes ? max(1, min(bound / 2, pending / 4)) : nil
    }
}
