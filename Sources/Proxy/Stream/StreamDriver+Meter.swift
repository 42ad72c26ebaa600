import Downstream
import Flow
import Observability

// What a stream adds to the metrics, beside the records and bytes that `left` counts.

extension StreamDriver {
    /// What it holds now, and has counted of what is added at its end; called when somebody asks for the metrics.
    func addRunning(at now: Instant) {
        var running = RouteTally.Running()
        running.transfers = transfer == nil ? 0 : 1
        running.paused = machine.paused(at: now)
        running.bytes = gaugedBytes
        running.byteCapacity = terms.maximumBytes.bytes
        if isStream {
            running.records = queue.records
            running.recordCapacity = wish.terms.buffer
            running.dropped = queue.lost
        }
        meter.tally.running += running
    }

    /// The upstream is paused; whoever let the queue fill up is the cause.
    func countPause() { meter.tally.pauses[pauseCause] += 1 }

    /// Tells the stream's own log of pauses how it stands; to be called after whatever may have changed that.
    func notePause(at now: Instant) {
        pauses.changed(to: machine.isWaitingForRoom ? pauseCause : nil, at: now)
    }

    private var pauseCause: PauseLog.Cause {
        if response == nil {
            .detached
        } else if pacer.isHeldByClient {
            .feedback
        } else if machine.isHeldUp || response?.room == 0 {
            .client
        } else {
            .pace
        }
    }

    /// The stream ended; to be told before its parts are given back.
    func countEnd(_ outcome: Outcome, at now: Instant) {
        meter.tally.ended(outcome, lasted: now - began)
        meter.tally.paused += machine.paused(at: now)
        if isStream {
            meter.tally.failed[.dropped] += queue.lost
            meter.tally.failed[.undelivered] += queue.records
        }
        // A client that was gone before has been counted when it went.
        if outcome == .clientGone, response != nil { meter.tally.disconnects[.gone] += 1 }
        if outcome == .slowConsumer { meter.tally.disconnects[.slowConsumer] += 1 }
    }
}
