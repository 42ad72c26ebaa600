/// The limit on the buffered bytes of all streams of all event loops, and the actions close to it.
///
///     used    0 ──────────────────────── 80 % ─────────────── 100 % ──────────▶
///     a new stream's buffer  as negotiated │ shrinks to the floor │ refused
///     open streams                     unaffected                 │ the largest holders end
///
/// - Complexity: O(1) for each call, except ``streamsToEnd(holding:excess:openStreams:)``.
package struct BufferCeiling: Equatable, Sendable {
    /// The minimum records of a stream's buffer: less would pause the upstream for every record.
    package static let floorRecords = 1
    /// The minimum bytes of a stream's buffer: one chunk of 16 KiB may exceed it in any case.
    package static let floorBytes = ByteCount.kibibytes(4)

    /// The limit on the buffered bytes of all streams together.
    package let maximum: ByteCount

    /// A ceiling of this many bytes.
    package init(maximum: ByteCount) { self.maximum = maximum }

    /// The size of a stream's buffer, in the contract's two measures.
    package struct Buffer: Equatable, Sendable {
        package let records: Int
        package let bytes: ByteCount

        package init(records: Int, bytes: ByteCount) {
            self.records = records
            self.bytes = bytes
        }
    }

    /// The use at which buffers begin to shrink: four fifths of the maximum.
    package var mark: ByteCount { ByteCount(maximum.bytes - maximum.bytes / 5) }

    /// The buffer that a new stream gets.
    ///
    /// - Parameters:
    ///   - negotiated: Its buffer in an idle proxy; a part that is below the floor already is not changed.
    ///   - used: The bytes that all streams buffer now.
    /// - Returns: `nil` if the stream must be refused.
    package func granted(_ negotiated: Buffer, used: ByteCount) -> Buffer? {
        guard used < maximum else { return nil }
        guard used >= mark else { return negotiated }
        return Buffer(
            records: max(min(negotiated.records, Self.floorRecords), part(of: negotiated.records, used: used)),
            bytes: ByteCount(
                max(min(negotiated.bytes, Self.floorBytes).bytes, part(of: negotiated.bytes.bytes, used: used))))
    }

    /// The bytes that one loop has to release, in proportion to its part of all buffered bytes.
    ///
    /// Rounded up, so that the parts of all loops add up to the whole excess. Zero if the maximum is not exceeded.
    package func excess(used: ByteCount, heldByLoop: ByteCount) -> ByteCount {
        guard used > maximum else { return .zero }
        let product = Int128(used.bytes - maximum.bytes) * Int128(min(heldByLoop, used).bytes)
        return ByteCount(Int((product + Int128(used.bytes - 1)) / Int128(used.bytes)))
    }

    /// The streams of a loop that must end so that it releases its excess.
    ///
    /// The largest holders first, until the excess is released, and none that holds its fair share or less. A loop may
    /// keep an excess, but not all loops do: the bytes over the maximum are over the shares of some streams.
    ///
    /// - Parameters:
    ///   - held: The buffered bytes of each stream of the loop.
    ///   - excess: The bytes that the loop has to release.
    ///   - openStreams: Of all loops; the fair share is an equal part of the maximum.
    /// - Returns: Indices in `held`, in the order in which the streams are to end.
    /// - Complexity: O(n log n) for n streams that hold more than the fair share; called only over the ceiling.
    package func streamsToEnd(holding held: [ByteCount], excess: ByteCount, openStreams: Int) -> [Int] {
        guard excess > .zero else { return [] }
        let fairShare = maximum.bytes / max(1, openStreams)
        var remaining = excess.bytes
        let heaviest = held.indices.filter { held[$0].bytes > fairShare }
            .sorted { (held[$1].bytes, $0) < (held[$0].bytes, $1) }
        return Array(
            heaviest.prefix { index in
                defer { remaining -= held[index].bytes }
                return remaining > 0
            })
    }

    /// Scales a number linearly from all of it at the mark to zero at the maximum.
    private func part(of whole: Int, used: ByteCount) -> Int {
        // The product may not fit 64 bits.
        Int(Int128(whole) * Int128(maximum.bytes - used.bytes) / Int128(max(1, maximum.bytes - mark.bytes)))
    }
}
