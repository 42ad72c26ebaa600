import Downstream
import Flow

/// The way of shared records past the queue.
extension RecordPipe {
    /// The least bytes of a whole segment that are sent by a write of their own although others follow.
    private static let ownWrite = 16 << 10

    /// Sends records that are known to be whole, if nothing is before them and nothing delays them.
    ///
    /// - Parameters:
    ///   - records: The records.
    ///   - isLast: Whether no others follow at once, with which one write could send them.
    ///   - now: The time.
    /// - Returns: What was sent; `nil` if they have to be pushed.
    func pass(_ records: SharedLog.Slice, isLast: Bool, at now: Instant) -> RecordFramer.Run? {
        guard let response, passesRecords, records.range.count <= response.room,
            pacer.available(at: now) >= records.records
        else { return nil }
        if records.isWhole, isLast || records.range.count >= Self.ownWrite {
            response.write(records.segment.chunk)
        } else {
            records.withBytes { response.write($0) }
        }
        let run = RecordFramer.Run(records: records.records, bytes: records.range.count)
        count(run, at: now)
        return run
    }

    private var passesRecords: Bool {
        format != nil && weights == nil && !pacer.isSpreading && queue.canBePassed && replay == nil && losses.isEmpty
            && heartbeat?.changesNothing ?? true
    }
}
