/// The progress of a client's response, in bytes.
package struct Delivery: Equatable, Sendable {
    /// The maximum batch, unless a single record is larger.
    package static let largestBatch = ByteCount.kibibytes(64)

    /// Bytes of the body that the client's socket has taken.
    package let sent: Int
    /// Bytes of the last batch that the client's socket has not taken.
    package let pending: Int
    private let bound: Int

    /// Takes the counts of a response.
    ///
    /// - Parameters:
    ///   - handedOver: Bytes of the body that were written to the client.
    ///   - pending: The part of those that its socket has not taken.
    ///   - bound: The byte bound of the stream.
    package init(handedOver: Int, pending: Int, bound: ByteCount) {
        sent = handedOver - pending
        self.pending = pending
        self.bound = bound.bytes
    }

    /// The bytes of a large record that count as progress: a quarter, or half of the bound if that is less.
    ///
    /// `nil` for a batch of several records: each of them is progress when it leaves the queue.
    var step: Int? {
        pending > Self.largestBatch.bytes ? max(1, min(bound / 2, pending / 4)) : nil
    }
}
