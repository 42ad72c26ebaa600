import Flow
import Proxy

/// An element of the snapshot's `upstreams`.
enum UpstreamJSON {
    static func report(_ upstream: UpstreamReport, at now: Instant) -> [UInt8] {
        var json = JSONText(capacity: 256)
        json.add("route", upstream.route)
        json.add("upstream", upstream.name)
        json.add("state", upstream.state.rawValue)
        json.add("openRequests", upstream.openRequests)
        json.add("requests", upstream.requests)
        json.add("failures", upstream.figures.failures)
        if let firstByte = upstream.figures.firstByte { json.add("firstByte", seconds: firstByte) }
        if let failure = upstream.figures.lastFailure, let failedAt = upstream.figures.failedAt {
            var last = JSONText(capacity: 128)
            last.add("cause", failure.cause.rawValue)
            last.add("text", failure.text)
            last.add("ago", seconds: now - failedAt)
            json.add("lastFailure", json: last.closed())
        }
        return json.closed()
    }
}
