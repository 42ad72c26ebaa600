import Flow

/// One line of the access log.
package struct AccessLogEntry: Sendable {
    package let time: Timestamp
    package let event: StreamEvent

    package init(_ event: StreamEvent, at time: Timestamp) {
        self.event = event
        self.time = time
    }

    /// One JSON object without a newline, its members in a fixed order; unknown values are omitted.
    package func json() -> [UInt8] {
        var json = JSONText(capacity: 512)
        json.add("time", time.rfc3339)
        switch event {
        case .started(let facts):
            json.add("event", "start")
            json.add(facts)
            json.add(traceOf: facts)
        case .progressed(let facts, let totals):
            json.add("event", "progress")
            json.add(facts)
            json.add(totals)
            json.add(traceOf: facts)
        case .ended(let facts, let totals, let end):
            json.add("event", "end")
            json.add(facts)
            json.add(totals)
            json.add("reason", end.outcome.rawValue)
            if let problem = end.problem { json.add("problem", problem.rawValue) }
            if let failure = end.upstreamFailure {
                json.add("cause", failure.cause.rawValue)
                json.add("upstream_error", failure.text)
            }
            json.add(traceOf: facts)
            if end.isDelimitedByClose { json.add("delimited", "close") }
        }
        return json.closed()
    }

    /// The line in the combined format of web server logs, without a newline; `nil` for an event other than the end.
    ///
    /// `client - - [time] "request" status bytes "referer" "user agent"`, with `-` for unknown values. Bytes that would
    /// break the line's form are written as `\xHH`, as nginx does.
    package func combined() -> [UInt8]? {
        guard case .ended(let facts, let totals, _) = event else { return nil }
        var line: [UInt8] = []
        line.reserveCapacity(256)
        line.appendLogEscaped(facts.client)
        line.append(contentsOf: " - - [\(time.commonLogFormat)] \"".utf8)
        line.appendLogEscaped("\(facts.method) \(facts.path) \(facts.httpVersion)")
        line.append(contentsOf: "\" \(totals.status.map(String.init) ?? "-") \(totals.bytes.bytes) \"".utf8)
        line.appendLogEscaped(facts.referer ?? "-")
        line.append(contentsOf: "\" \"".utf8)
        line.appendLogEscaped(facts.userAgent ?? "-")
        line.append(UInt8(ascii: "\""))
        return line
    }
}

extension JSONText {
    fileprivate mutating func add(_ facts: StreamFacts) {
        if let id = facts.id { add("id", id.text) }
        add("client", facts.client)
        if let route = facts.route { add("route", route) }
        if let tier = facts.tier { add("tier", tier) }
        add("method", facts.method)
        add("path", facts.path)
    }

    fileprivate mutating func add(_ totals: StreamTotals) {
        if let status = totals.status { add("status", status) }
        if let upstream = totals.upstream { add("upstream", upstream) }
        if let terms = totals.terms {
            add("rate", terms.pace.text)
            add("buffer", terms.buffer)
            add("records", totals.records)
            if let units = totals.units { add("units", units) }
        }
        add("bytes", totals.bytes.bytes)
        add("duration", seconds: totals.lasted)
        if totals.terms != nil {
            add("records_per_second", (totals.recordsPerSecond * 1000).rounded() / 1000)
            add("buffer_peak", totals.bufferPeak)
        }
        add("pauses", totals.pauses)
        add("paused", seconds: totals.paused)
        addRare(totals)
    }

    /// Members that are zero for most streams are omitted.
    private mutating func addRare(_ totals: StreamTotals) {
        if totals.attempts > 1 { add("attempts", totals.attempts) }
        if totals.dropped > 0 { add("dropped", totals.dropped) }
        if totals.feedbacks > 0 { add("feedbacks", totals.feedbacks) }
        if totals.held > .zero { add("held", seconds: totals.held) }
        if totals.resumptions > 0 { add("resumptions", totals.resumptions) }
        if let cause = totals.unmetered { add("unmetered", cause.rawValue) }
        if !totals.dryRuns.isEmpty { add("dry_run", totals.dryRuns.map(\.rawValue).joined(separator: ",")) }
    }

    /// `trace_id` is after the members of the end.
    fileprivate mutating func add(traceOf facts: StreamFacts) {
        if let traceId = facts.traceId { add("trace_id", traceId) }
    }
}

extension [UInt8] {
    fileprivate mutating func appendLogEscaped(_ text: String) {
        for byte in text.utf8 {
            if byte < 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "x"), .upperHex(byte >> 4), .upperHex(byte & 15)])
            } else {
                append(byte)
            }
        }
    }
}

extension UInt8 {
    fileprivate static func upperHex(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") - 10 + value
    }
}
