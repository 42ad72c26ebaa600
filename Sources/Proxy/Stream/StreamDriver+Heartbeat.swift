import Downstream
import Flow
import Settings

// Signs of life on a quiet stream of events: for who takes silence for a dead connection.

extension StreamDriver {
    func beginHeartbeat(at now: Instant) {
        guard let interval = route.settings.heartbeat else { return }
        let heartbeat = Heartbeat(every: interval, at: now)
        self.heartbeat = heartbeat
        set(\.heartbeatTimer, at: heartbeat.due)
    }

    /// Whole blocks have left and nothing else, so this is always between two of them.
    func heartbeatTimeCame(at now: Instant) {
        guard !machine.isFinished else { return }
        let isReady = (response?.room ?? 0) > 0
        if heartbeat?.timerFired(at: now, isReady: isReady) ?? false {
            Heartbeat.comment.withUTF8Buffer { response?.write(UnsafeRawBufferPointer($0)) }
            count(ownBytes: ByteCount(Heartbeat.comment.utf8CodeUnitCount))
        }
        if let heartbeat { set(\.heartbeatTimer, at: heartbeat.due) }
    }
}
