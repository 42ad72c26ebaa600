import Flow
import Observability

/// How one stream stands, as far as an operator's overview tells it.
struct StreamGlance: Sendable {
    /// Names the stream to operators; see ``StreamHandle``.
    var handle: String
    var route: String
    var client: String
    var records: Int
    var bytes: Int
    var rate: String
    var buffer: Int
    var bufferRecords: Int
    var state: String
    /// How full its queue is, from 0 to 1.
    var fill: Double
    /// For how long its upstream has had to wait, in all.
    var paused: Duration
    var lasted: Duration

    /// Whether it is slower: its queue is fuller, or as full for longer.
    func isSlower(than other: StreamGlance) -> Bool { (fill, paused) > (other.fill, other.paused) }

    var json: [UInt8] {
        var json = JSONText(capacity: 256)
        add(to: &json)
        return json.closed()
    }

    func add(to json: inout JSONText) {
        json.add("id", handle)
        json.add("route", route)
        json.add("client", client)
        json.add("state", state)
        json.add("rate", rate)
        json.add("records", records)
        json.add("bytes", bytes)
        json.add("buffer", buffer)
        json.add("bufferRecords", bufferRecords)
        json.add("paused", seconds: paused)
        json.add("duration", seconds: lasted)
    }
}

/// The streams with the fullest queues; holds twice as many as it tells, however many it is shown.
struct SlowestStreams: Sendable {
    static let most = 50

    private var kept: [StreamGlance] = []

    /// The slowest first; at most ``most``.
    var streams: [StreamGlance] { Array(kept.sorted { $0.isSlower(than: $1) }.prefix(Self.most)) }

    mutating func add(_ stream: StreamGlance) {
        kept.append(stream)
        if kept.count >= 2 * Self.most { kept = streams }
    }

    static func += (left: inout SlowestStreams, right: SlowestStreams) {
        for stream in right.kept { left.add(stream) }
    }
}

extension Worker {
    /// What this loop has counted, and its slowest streams.
    ///
    /// - Complexity: O(open streams of the loop).
    func view() -> LoopView {
        let now = clock()
        var slowest = SlowestStreams()
        for driver in openDrivers { slowest.add(driver.glance(at: now)) }
        return LoopView(figures: figures(), slowest: slowest)
    }
}

extension StreamDriver {
    func glance(at now: Instant) -> StreamGlance {
        let capacity = (records: max(1, wish.terms.buffer), bytes: max(1, terms.maximumBytes.bytes))
        return StreamGlance(
            handle: StreamHandle(of: id).text, route: route.name, client: asked.client, records: totals.records,
            bytes: totals.bytes.bytes, rate: wish.terms.pace.text, buffer: wish.terms.buffer,
            bufferRecords: queue.records, state: standing,
            fill: max(Double(queue.records) / Double(capacity.records), Double(gaugedBytes) / Double(capacity.bytes)),
            paused: machine.paused(at: now), lasted: now - began)
    }

    private var standing: String {
        if permit == nil { return "waiting" }
        if head == nil { return "pending" }
        if response == nil { return "detached" }
        if pacer.isHeldByClient { return "held" }
        if machine.isHeldUp { return "slow" }
        return machine.isPaused ? "paused" : "flowing"
    }
}
