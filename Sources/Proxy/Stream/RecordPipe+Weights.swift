import Flow

/// The way of records that count as much as they weigh: one at a time, since the weight of each decides about the next.
extension RecordPipe {
    /// Whether the next record is the last of all, and need not wait for what the others owe.
    ///
    /// A total comes late: in the last record but one of most services. The client has to get the end of its response, and
    /// pays with its next start.
    var passesLast: Bool { weights?.isCumulative ?? false && queue.hasOneRecordOnly && !pacer.isStoppedByClient }

    /// Sends the last record.
    func takeLast(limit: Int, at now: Instant) throws(RecordFramer.Failure) -> RecordFramer.Run {
        try takeWeighed(credit: 1, limit: limit, at: now)
    }

    /// Sends the next queued record if a unit is due for it.
    func takeWeighed(limit: Int, at now: Instant) throws(RecordFramer.Failure) -> RecordFramer.Run {
        try takeWeighed(credit: min(1, credit(at: now)), limit: limit, at: now)
    }

    private func takeWeighed(
        credit: Int, limit: Int, at now: Instant
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        try weighed(at: now) { sink throws(RecordFramer.Failure) in
            try queue.take(credit: credit, limit: limit, sink: sink)
        }
    }

    /// Takes the next bytes of the upstream: sends their first record if a unit is due for it and nothing is before it, so that
    /// it is not copied, and queues the rest.
    func pushWeighed(_ bytes: UnsafeRawBufferPointer, at now: Instant) throws(RecordFramer.Failure) -> RecordFramer.Run
    {
        let room = room, credit = queue.canBePassed && room > 0 ? min(1, credit(at: now)) : 0
        return try weighed(at: now) { sink throws(RecordFramer.Failure) in
            try queue.push(bytes, credit: credit, limit: room, sink: sink)
        }
    }

    /// Sends at most one record, and counts its weight.
    private func weighed(
        at now: Instant, _ send: ((UnsafeRawBufferPointer) -> Void) throws(RecordFramer.Failure) -> RecordFramer.Run
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        var weight: Int?
        let run = try send { bytes in
            // A record is in the first piece; what follows it is blank.
            if weight == nil { weight = weights?.weight(of: bytes) }
            write(bytes)
        }
        if run.records > 0, let weight {
            weights?.count(weight)
            pacer.takeOne(weighing: weight, at: now, leavesWaiting: queue.records > 0)
        }
        wrote(run, at: now)
        return run
    }
}
