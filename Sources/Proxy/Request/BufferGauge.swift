import Flow
import Synchronization

/// The bytes in the queues of all event loops, for the ``BufferCeiling``.
///
/// Each loop writes only its own cell; the sum is read over all cells.
final class BufferGauge: Sendable {
    /// One loop's part.
    final class Cell: Sendable {
        private let bytes = Atomic<Int>(0)
        private let streams = Atomic<Int>(0)

        var held: Int { bytes.load(ordering: .relaxed) }
        var openStreams: Int { streams.load(ordering: .relaxed) }

        // Written only on the loop that owns the cell, so a load and a store are enough.

        func add(_ change: Int) { bytes.store(bytes.load(ordering: .relaxed) &+ change, ordering: .relaxed) }

        func setOpenStreams(_ count: Int) { streams.store(count, ordering: .relaxed) }
    }

    let cells: [Cell]
    /// `Int.max` if there is none.
    private let maximum: Atomic<Int>

    init(loops: Int, maximum: ByteCount?) {
        cells = (0..<loops).map { _ in Cell() }
        self.maximum = Atomic(maximum?.bytes ?? .max)
    }

    /// `nil` if there is none.
    var ceiling: BufferCeiling? {
        let maximum = maximum.load(ordering: .relaxed)
        return maximum == .max ? nil : BufferCeiling(maximum: ByteCount(maximum))
    }

    /// Applies another bound from now on; if more is held already, streams end as above any bound.
    func setMaximum(_ new: ByteCount?) { maximum.store(new?.bytes ?? .max, ordering: .relaxed) }

    var held: ByteCount { ByteCount(max(0, cells.reduce(0) { $0 + $1.held })) }
    var openStreams: Int { cells.reduce(0) { $0 + $1.openStreams } }

    /// Whether the open streams together hold more than the bound.
    var isExceeded: Bool { ceiling.map { held > $0.maximum } ?? false }

    /// The terms that can be granted now; `nil` if no stream can be admitted.
    func granted(_ terms: Terms) -> Terms? {
        guard let ceiling else { return terms }
        guard
            let buffer = ceiling.granted(.init(records: terms.buffer, bytes: terms.maximumBytes), used: held)
        else { return nil }
        var terms = terms
        (terms.buffer, terms.maximumBytes) = (buffer.records, buffer.bytes)
        return terms
    }

    /// Indices in `held`, the bytes of each stream of a loop, of the streams that are to end.
    func streamsToEnd(holding held: [ByteCount], of cell: Cell) -> [Int] {
        guard let ceiling else { return [] }
        return ceiling.streamsToEnd(
            holding: held, excess: ceiling.excess(used: self.held, heldByLoop: ByteCount(max(0, cell.held))),
            openStreams: openStreams)
    }
}
