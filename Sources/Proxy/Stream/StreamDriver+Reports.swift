import Downstream
import Flow
import Observability

// What operators see of a stream.

extension StreamDriver {
    func summary(at now: Instant) -> StreamSummary {
        let capacity = (records: max(1, wish.terms.buffer), bytes: max(1, terms.maximumBytes.bytes))
        return StreamSummary(
            handle: StreamHandle(of: id).text, route: route.name, client: asked.client, records: totals.records,
            bytes: totals.bytes.bytes, rate: wish.terms.pace.text, buffer: wish.terms.buffer,
            bufferRecords: queue.records, status: status,
            fill: max(Double(queue.records) / Double(capacity.records), Double(gaugedBytes) / Double(capacity.bytes)),
            paused: machine.paused(at: now), lasted: now - began)
    }

    func report(at now: Instant) -> StreamReport {
        StreamReport(
            summary: summary(at: now), path: String(asked.request.path), upstream: totals.upstream,
            dropped: queue.lost, resumptions: totals.resumptions, pauseCount: machine.pauses,
            pauses: pauses.pauses(at: now), began: began)
    }

    private var status: StreamSummary.Status {
        if permit == nil { return .waiting }
        if head == nil { return .pending }
        if response == nil { return .detached }
        if pacer.isHeldByClient { return .held }
        if machine.isHeldUp { return .slow }
        return machine.isPaused ? .paused : .flowing
    }
}
