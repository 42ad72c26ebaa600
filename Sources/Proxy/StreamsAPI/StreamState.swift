import Flow
import Observability

/// What a stream's own address tells about it.
struct StreamState: Equatable, Sendable {
    enum Phase: String, Sendable {
        /// Not admitted yet (`Prefer: respond-async`).
        case waiting
        /// The upstream has not begun to answer.
        case pending
        /// It failed before it began; who asks next is told why.
        case failed
        /// Begun, and nobody has come to read it yet.
        case ready
        case streaming
        /// Its client lost the connection and may come back.
        case resumable
        /// Over: the answer to who ended it.
        case ended
    }

    var id: StreamId
    var phase: Phase
    var terms: Terms
    var pace: Pace
    var buffer: Int
    var isPaused: Bool
    var credit: Int?
    var records: Int
    var bytes: Int
    var queued: Int
    var dropped: Int
    var lasted: Duration

    /// One JSON object without a newline.
    var json: String {
        var json = JSONText(capacity: 320)
        json.add("id", id.text)
        json.add("state", phase.rawValue)
        json.add("rate", pace.text)
        json.add("bufferSize", buffer)
        json.add("grantedRate", terms.pace.text)
        json.add("grantedBufferSize", terms.buffer)
        json.add("paused", isPaused)
        if let credit { json.add("credit", credit) }
        json.add("records", records)
        json.add("bytes", bytes)
        json.add("queued", queued)
        json.add("dropped", dropped)
        json.add("duration", seconds: lasted)
        return String(decoding: json.closed(), as: UTF8.self)
    }
}

extension StreamDriver {
    func state(at now: Instant) -> StreamState {
        StreamState(
            id: id, phase: phase, terms: terms, pace: wish.terms.pace, buffer: wish.terms.buffer,
            isPaused: pacer.isPausedByClient, credit: pacer.creditLeft, records: totals.records,
            bytes: totals.bytes.bytes, queued: queue.records, dropped: queue.lost, lasted: now - began)
    }

    private var phase: StreamState.Phase {
        if machine.isFinished { return .ended }
        if permit == nil { return .waiting }
        if head == nil { return machine.isEmptying ? .failed : .pending }
        if response != nil { return .streaming }
        return isPromised ? .ready : .resumable
    }
}
