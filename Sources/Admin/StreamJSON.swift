import Flow
import Proxy

/// The JSON objects of one stream in `docs/ADMIN.md`.
enum StreamJSON {
    /// An element of the snapshot's `slowest`.
    static func summary(_ summary: StreamSummary) -> [UInt8] {
        var json = JSONText(capacity: 256)
        add(summary, to: &json)
        return json.closed()
    }

    /// The response to `GET /v1/admin/streams/{handle}`.
    static func report(_ report: StreamReport) -> [UInt8] {
        var json = JSONText(capacity: 512 + 64 * report.pauses.count)
        add(report.summary, to: &json)
        json.add("path", report.path)
        if let upstream = report.upstream { json.add("upstream", upstream) }
        json.add("dropped", report.dropped)
        json.add("resumptions", report.resumptions)
        json.add("pauseCount", report.pauseCount)
        json.add("pauses", array: report.pauses.map { pause($0, since: report.began) })
        return json.closed()
    }

    /// The response to `GET /v1/admin/streams?client=…`.
    static func list(_ found: ClientStreams) -> [UInt8] {
        var json = JSONText(capacity: 64 + 256 * found.streams.count)
        json.add("count", found.count)
        json.add("streams", array: found.streams.map { summary($0) })
        return json.closed()
    }

    private static func add(_ summary: StreamSummary, to json: inout JSONText) {
        json.add("id", summary.handle)
        json.add("route", summary.route)
        json.add("client", summary.client)
        if let tier = summary.tier { json.add("tier", tier) }
        json.add("state", summary.status.operatorText)
        json.add("rate", summary.rate)
        json.add("records", summary.records)
        json.add("bytes", summary.bytes)
        json.add("buffer", summary.buffer)
        json.add("bufferRecords", summary.bufferRecords)
        json.add("paused", seconds: summary.paused)
        json.add("duration", seconds: summary.lasted)
    }

    private static func pause(_ pause: PauseLog.Pause, since began: Instant) -> [UInt8] {
        var json = JSONText(capacity: 64)
        json.add("cause", pause.cause.rawValue)
        json.add("start", seconds: pause.began - began)
        json.add("seconds", seconds: pause.lasted)
        if pause.isRunning { json.add("running", true) }
        return json.closed()
    }
}
