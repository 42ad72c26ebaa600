import Flow
import Observability

/// The state of a stream, as its own address returns it.
struct StreamState: Equatable, Sendable {
    var id: StreamId
    var status: StreamStatus
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
        json.add("state", status.clientText)
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

extension StreamState {
    init(of stream: Stream, at now: Instant) {
        let pipe = stream.pipe, terms = pipe.effective.terms, totals = stream.account.totals
        self.init(
            id: stream.id, status: stream.status, terms: stream.request.terms, pace: terms.pace, buffer: terms.buffer,
            isPaused: pipe.pacer.isPausedByClient, credit: pipe.pacer.remainingCredit, records: totals.records,
            bytes: totals.bytes.bytes, queued: pipe.queue.records, dropped: pipe.queue.lost, lasted: now - stream.began)
    }
}

extension Stream {
    var status: StreamStatus {
        StreamStatus(
            .init(
                isAdmitted: isAdmitted, hasHead: head != nil, hasClient: hasClient,
                isPromised: promise?.isMade ?? false, isStoppedByClient: pipe.pacer.isStoppedByClient), of: machine)
    }
}
