/// How much all streams of all loops may hold together, and what is done as it comes near.
///
///     used    0 ──────────────────────── 80 % ─────────────── 100 % ──────────▶
///     a new stream's buffer  as negotiated │ shrinks to the floor │ refused
///     open streams                     left alone                 │ those that hold most end
///
/// - Complexity: O(1) for each call, but for ``streamsToEnd(holding:excess:openStreams:)``.
package struct BufferCeiling: Equatable, Sendable {
    /// The least that a stream is granted: less would cost a pause for every record.
    package static let floorRecords = 1
    /// The least that a stream is granted: a chunk of 16 KiB may stand above it in any case.
    package static let floorBytes = ByteCount.kibibytes(4)

    package let maximum: ByteCount

    package init(maximum: ByteCount) { self.maximum = maximum }

    /// What a stream may hold, by the contract's two measures.
    package struct Buffer: Equatable, Sendable {
        package let records: Int
        package let bytes: ByteCount

        package init(records: Int, bytes: ByteCount) {
            self.records = records
            self.bytes = bytes
        }
    }

    /// Where buffers begin to shrink: four fifths of the maximum.
    package var mark: ByteCount { ByteCount(maximum.bytes - maximum.bytes / 5) }

    /// The buffer that a new stream gets.
    ///
    /// - Parameters:
    ///   - negotiated: What it would get of an idle proxy; what is below the floor already stays as it is.
    ///   - used: What all streams hold now.
    /// - Returns: `nil` where the stream must be refused.
    package func granted(_ negotiated: Buffer, used: ByteCount) -> Buffer? {
        guard used < maximum else { return nil }
        guard used >= mark else { return negotiated }
        return Buffer(
            records: max(min(negotiated.records, Self.floorRecords), part(of: negotiated.records, used: used)),
            bytes: ByteCount(
                max(min(negotiated.bytes, Self.floorBytes).bytes, part(of: negotiated.bytes.bytes, used: used))))
    }

    /// What one loop has to give up, as its part of what all hold.
    ///
    /// Rounded up, so that the parts of all loops come to the whole excess. Zero where nothing is over the maximum.
    package func excess(used: ByteCount, heldByLoop: ByteCount) -> ByteCount {
        guard used > maximum else { return .zero }
        let product = Int128(used.bytes - maximum.bytes) * Int128(min(heldByLoop, used).bytes)
        return ByteCount(Int((product + Int128(used.bytes - 1)) / Int128(used.bytes)))
    }

    /// Which streams of a loop end, so that it gives up its excess.
    ///
    /// Those that hold most first, until the excess is gone, and none that holds its fair share or less. A loop may then
    /// be left with an excess, but not all of them: what is over the maximum is over the shares of some streams.
    ///
    /// - Parameters:
    ///   - held: What each stream of the loop holds.
    ///   - excess: What the loop has to give up.
    ///   - openStreams: Of all loops; their fair share is an equal part of the maximum.
    /// - Returns: Places in `held`, in the order in which the streams are to end.
    /// - Complexity: O(n log n) for n streams that hold more than the fair share; called over the ceiling only.
    package func streamsToEnd(holding held: [ByteCount], excess: ByteCount, openStreams: Int) -> [Int] {
        guard excess > .zero else { return [] }
        let fairShare = maximum.bytes / max(1, openStreams)
        var left = excess.bytes
        let heaviest = held.indices.filter { held[$0].bytes > fairShare }
            .sorted { (held[$1].bytes, $0) < (held[$0].bytes, $1) }
        return Array(
            heaviest.prefix { place in
                defer { left -= held[place].bytes }
                return left > 0
            })
    }

    /// From all of a number at the mark to nothing of it at the maximum.
    private func part(of whole: Int, used: ByteCount) -> Int {
        // The two factors together may not fit 64 bits.
        Int(Int128(whole) * Int128(maximum.bytes - used.bytes) / Int128(max(1, maximum.bytes - mark.bytes)))
    }
}
