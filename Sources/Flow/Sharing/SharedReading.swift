/// What one reader of a shared stream gets next, and what happens when it lags.
package struct SharedReading: Sendable {
    /// The next step of a reader that has room.
    package enum Step {
        /// It has everything that has arrived.
        case wait
        /// These records are lost for it; it continues with the next step.
        case lost(Range<Int>)
        /// It is too slow, and ends.
        case end
        case pass(SharedLog.Slice)
    }

    private let lag: Lag
    package private(set) var cursor: Cursor
    /// Records before this number are sent only if they are the newest of their key.
    private let snapshotEnd: Int

    /// `nil` if what the reader asks for is not retained.
    ///
    /// - Parameters:
    ///   - join: Where it begins.
    ///   - lag: What happens when it lags.
    ///   - log: The retained records.
    package init?(_ join: JoinPoint, lag: Lag, in log: SharedLog) {
        guard let cursor = log.cursor(for: join) else { return nil }
        (self.cursor, self.lag) = (cursor, lag)
        snapshotEnd = join == .configured(.keys) ? log.next : 0
    }

    /// Takes the next piece of the log.
    ///
    /// - Parameters:
    ///   - log: The retained records.
    ///   - limit: The records that the reader can take; those of a snapshot by key may be more.
    /// - Returns: The step.
    package mutating func next(in log: SharedLog, upTo limit: Int = .max) -> Step {
        if cursor.record < snapshotEnd {
            let piece = log.readNewest(at: cursor, before: snapshotEnd)
            guard case .none = piece else {
                return take(piece)
            }
            cursor = log.cursor(for: .record(snapshotEnd)) ?? Cursor(record: snapshotEnd, segment: 0)
        }
        return take(log.read(at: cursor, upTo: limit))
    }

    /// The records that have just arrived are passed on, if they are the next ones.
    ///
    /// - Parameters:
    ///   - slice: All of them.
    ///   - begin: The end of the log before them.
    /// - Returns: Whether they are; if not, nothing has changed.
    package mutating func follow(_ slice: SharedLog.Slice, from begin: Cursor) -> Bool {
        guard cursor == begin else { return false }
        cursor = slice.next
        return true
    }

    private mutating func take(_ piece: SharedLog.Piece) -> Step {
        switch piece {
        case .none: return .wait
        case .bytes(let slice):
            cursor = slice.next
            return .pass(slice)
        case .gap(let range, let next):
            guard lag != .end else { return .end }
            cursor = next
            return .lost(range)
        }
    }
}
