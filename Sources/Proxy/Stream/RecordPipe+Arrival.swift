import Flow

/// The way of records that are queued before any is sent: the pace needs to know what they weigh, or how many they are.
extension RecordPipe {
    /// Takes the next bytes of the upstream: queues them, and sends what may be sent now.
    func pushThroughQueue(_ bytes: UnsafeRawBufferPointer, at now: Instant) -> Sent {
        var sent = Sent()
        var rest = bytes
        do throws(RecordFramer.Failure) {
            repeat {
                let step = room > 0 && credit(at: now) > 0 ? queue.step(of: rest) : rest.count
                try queueAndSend(UnsafeRawBufferPointer(rebasing: rest[..<step]), &sent.run, at: now)
                rest = UnsafeRawBufferPointer(rebasing: rest[step...])
            } while !rest.isEmpty
        } catch {
            sent.stop = .failed(error)
        }
        sent.hasRoom = room > 0
        return sent
    }

    private func queueAndSend(
        _ bytes: UnsafeRawBufferPointer, _ sent: inout RecordFramer.Run, at now: Instant
    ) throws(RecordFramer.Failure) {
        let before = queue.records
        let first = pacer.isSpreading ? try pushBlank(bytes, at: now) : try pushWeighed(bytes, at: now)
        sent.records += first.records
        sent.bytes += first.bytes
        if pacer.isSpreading, queue.records > before { noteArrival(after: before, at: now) }
        while queue.hasOutput, room > 0 {
            let run = try take(limit: room, at: now)
            guard run.bytes > 0 else { return }
            sent.records += run.records
            sent.bytes += run.bytes
        }
    }

    /// Queues bytes, and sends those before the first record.
    private func pushBlank(
        _ bytes: UnsafeRawBufferPointer, at now: Instant
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        let blank = try queue.push(bytes, credit: 0, limit: room) { write($0) }
        wrote(blank, at: now)
        return blank
    }

    /// A full queue is not held back: that would pause the upstream, or drop records.
    private func noteArrival(after before: Int, at now: Instant) {
        if queue.isFull || queue.records >= queue.bounds.records {
            pacer.releaseBurst(at: now)
        } else {
            pacer.arrived(waiting: queue.records, before: before, at: now)
        }
    }
}
