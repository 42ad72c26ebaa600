package import Flow

/// One span of a trace: a request of a client, or an attempt to have an upstream answer it.
package struct Span: Equatable, Sendable {
    /// The values of `SpanKind`.
    package enum Kind: Int, Sendable {
        case server = 2
        case client = 3
    }

    /// A point in time of the span.
    package struct Event: Equatable, Sendable {
        package let name: String
        package let time: Instant
        package let attributes: [Attribute]

        package init(_ name: String, at time: Instant, _ attributes: [Attribute] = []) {
            (self.name, self.time, self.attributes) = (name, time, attributes)
        }
    }

    package let context: TraceContext
    /// Whether the parent is of another process.
    package let hasRemoteParent: Bool
    package let kind: Kind
    package let name: String
    package let began: Instant
    package var ended: Instant
    package var attributes: [Attribute] = []
    package var events: [Event] = []
    /// Events that were not recorded.
    package var droppedEvents = 0
    /// Why it failed; `nil` if it did not.
    package var error: String?

    package init(
        _ context: TraceContext, _ kind: Kind, _ name: String, hasRemoteParent: Bool, from began: Instant,
        to ended: Instant
    ) {
        (self.context, self.kind, self.name, self.hasRemoteParent) = (context, kind, name, hasRemoteParent)
        (self.began, self.ended) = (began, ended)
    }
}

extension Span {
    /// Bits of `SpanFlags`: whether it is known that the parent is remote, and whether it is.
    private static let (hasIsRemote, isRemote) = (0x100, 0x200)
    /// `STATUS_CODE_ERROR`.
    private static let errorCode = 2

    /// The span as JSON (OTLP specification, "JSON Protobuf Encoding": ids are hexadecimal, enums are numbers).
    func json(by clock: WallClock) -> [UInt8] {
        var json = JSONText(capacity: 1024)
        json.add("traceId", context.traceId)
        json.add("spanId", context.spanId)
        if let parent = context.parentSpanId { json.add("parentSpanId", parent) }
        json.add("flags", 1 | Self.hasIsRemote | (hasRemoteParent ? Self.isRemote : 0))
        json.add("name", name)
        json.add("kind", kind.rawValue)
        json.add("startTimeUnixNano", clock.text(of: began))
        json.add("endTimeUnixNano", clock.text(of: ended))
        json.add(attributes)
        if !events.isEmpty { json.add("events", array: events.map { $0.json(by: clock) }) }
        if droppedEvents > 0 { json.add("droppedEventsCount", droppedEvents) }
        if let error {
            var status = JSONText(capacity: 64)
            status.add("message", error)
            status.add("code", Self.errorCode)
            json.add("status", json: status.closed())
        }
        return json.closed()
    }
}

extension Span.Event {
    fileprivate func json(by clock: WallClock) -> [UInt8] {
        var json = JSONText(capacity: 128)
        json.add("timeUnixNano", clock.text(of: time))
        json.add("name", name)
        if !attributes.isEmpty { json.add(attributes) }
        return json.closed()
    }
}
