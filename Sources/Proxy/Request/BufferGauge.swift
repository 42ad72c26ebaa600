import Flow
import Synchronization

/// How many bytes the streams of all event loops hold in their queues, and what follows from it (``BufferCeiling``).
///
/// Each loop writes a cell of its own, which no other loop's write disturbs; who wants the sum reads them all.
final class BufferGauge: Sendable {
    /// One loop's part.
    final class Cell: Sendable {
        private let bytes = Atomic<Int>(0)
        private let streams = Atomic<Int>(0)

        var held: Int { bytes.load(ordering: .relaxed) }
        var openStreams: Int { streams.load(ordering: .relaxed) }

        // Only ever written on the loop that owns the cell, so that a load and a store are enough.

        func add(_ change: Int) { bytes.store(bytes.load(ordering: .relaxed) &+ change, ordering: .relaxed) }

        func setOpenStreams(_ count: Int) { streams.store(count, ordering: .relaxed) }
    }

    let cells: [Cell]
    /// `Int.max` for none.
    private let maximum: Atomic<Int>

    init(loops: Int, maximum: ByteCount?) {
        cells = (0..<loops).map { _ in Cell() }
        self.maximum = Atomic(maximum?.bytes ?? .max)
    }

    /// `nil` where there is none.
    var ceiling: BufferCeiling? {
        let maximum = maximum.load(ordering: .relaxed)
        return maximum == .max ? nil : BufferCeiling(maximum: ByteCount(maximum))
    }

    /// Bounds what is held from now on; where more is held already, streams end as they do whenever it is too much.
    func setMaximum(_ new: ByteCount?) { maximum.store(new?.bytes ?? .max, ordering: .relaxed) }

    var held: ByteCount { ByteCount(max(0, cells.reduce(0) { $0 + $1.held })) }
    var openStreams: Int { cells.reduce(0) { $0 + $1.openStreams } }

    /// Whether open streams hold more than they may together.
    var isExceeded: Bool { ceiling.map { held > $0.maximum } ?? false }

    /// The terms as they can be granted now; `nil` where nothing can.
    func granted(_ terms: Terms) -> Terms? {
        guard let ceiling else { return terms }
        guard
            let buffer = ceiling.granted(.init(records: terms.buffer, bytes: terms.maximumBytes), used: held)
        else { return nil }
        var terms = terms
        (terms.buffer, terms.maximumBytes) = (buffer.records, buffer.bytes)
        return terms
    }

    /// Which streams of a loop end, given what each of them holds: places in `held`.
    func streamsToEnd(holding held: [ByteCount], of cell: Cell) -> [Int] {
        guard let ceiling else { return [] }
        return ceiling.streamsToEnd(
            holding: held, excess: ceiling.excess(used: self.held, heldByLoop: ByteCount(max(0, cell.held))),
            openStreams: openStreams)
    }
}
