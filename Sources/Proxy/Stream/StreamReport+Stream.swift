import Downstream
import Flow
import Observability

extension StreamSummary {
    /// The state of a stream in an operator's overview.
    init(of stream: Stream, at now: Instant) {
        let pipe = stream.pipe, terms = pipe.effective.terms, account = stream.account
        let capacity = (records: max(1, pipe.bound.records), bytes: max(1, stream.request.terms.maximumBytes.bytes))
        self.init(
            handle: StreamHandle(of: stream.id).text, route: stream.route.name, client: stream.request.client,
            tier: stream.request.tier,
            records: account.totals.records, bytes: account.totals.bytes.bytes, rate: terms.pace.text,
            buffer: terms.buffer, bufferRecords: pipe.queue.records, status: stream.status,
            fill: max(
                Double(pipe.queue.records) / Double(capacity.records),
                Double(account.countedBytes) / Double(capacity.bytes)),
            paused: stream.machine.paused(at: now), lasted: now - stream.began)
    }
}

extension StreamReport {
    /// Everything that an operator may know of a stream.
    init(of stream: Stream, at now: Instant) {
        let account = stream.account
        self.init(
            summary: StreamSummary(of: stream, at: now), path: String(stream.request.request.path),
            upstream: account.totals.upstream, dropped: stream.pipe.queue.lost,
            resumptions: account.totals.resumptions, pauseCount: stream.machine.pauses,
            pauses: account.pauses.pauses(at: now), began: stream.began)
    }
}
