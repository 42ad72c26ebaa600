package import Flow
package import Observability

/// A request that was traced and has ended: everything of which its spans are made.
package struct EndedRequest: Sendable {
    private let recording: RequestTrace.Recording
    private let request: TracedRequest
    private let facts: StreamFacts
    private let totals: StreamTotals
    private let end: StreamEnd
    private let pauses: [PauseLog.Pause]
    private let ended: Instant

    /// - Parameters:
    ///   - trace: What was recorded.
    ///   - request: Facts of the request that are in no line of the access log.
    ///   - facts: As in the access log.
    ///   - totals: As in the access log.
    ///   - end: As in the access log.
    ///   - pauses: Of the upstream.
    ///   - now: The end.
    package init(
        _ trace: RequestTrace, _ request: TracedRequest, _ facts: StreamFacts, _ totals: StreamTotals, _ end: StreamEnd,
        pauses: [PauseLog.Pause] = [], at now: Instant
    ) {
        (recording, self.request, self.totals) = (trace.recording, request, totals)
        self.facts = facts.forSpans
        (self.end, self.pauses, ended) = (end, pauses, now)
    }

    /// The number of ``spans``.
    var spanCount: Int { 1 + recording.attempts.count }

    /// The span of the request, and those of its attempts.
    package var spans: [Span] {
        let method = SpanMethod(facts.method)
        return [server(method)] + recording.attempts.enumerated().map { client(of: $1, number: $0, method) }
    }

    private func server(_ method: SpanMethod) -> Span {
        var span = Span(
            recording.context, .server, facts.route.map { "\(method.spanName) \($0)" } ?? method.spanName,
            hasRemoteParent: !recording.context.isOwn, from: recording.began, to: ended)
        span.attributes = method.attributes + request.attributes(facts) + totals.attributes(end)
        if let tier = facts.tier { span.attributes.append(Attribute("weir.tier", tier)) }
        if let error = end.errorType(status: totals.status) {
            span.attributes.append(Attribute("error.type", error))
            span.error = end.upstreamFailure?.text ?? ""
        }
        span.events = (recording.events.map(Span.Event.init) + pauses.map(Span.Event.init)).sorted { $0.time < $1.time }
        span.events.append(.init("end", at: ended, [Attribute("weir.reason", end.outcome.rawValue)]))
        span.droppedEvents = recording.droppedEvents
        return span
    }

    private func client(of attempt: RequestTrace.Attempt, number: Int, _ method: SpanMethod) -> Span {
        var span = Span(
            attempt.context, .client, method.spanName, hasRemoteParent: false, from: attempt.began,
            to: attempt.ended ?? ended)
        span.attributes = method.attributes + request.attributes(ofUpstream: attempt.upstream)
        if number > 0 { span.attributes.append(Attribute("http.request.resend_count", number)) }
        if let status = attempt.status { span.attributes.append(Attribute("http.response.status_code", status)) }
        if let failure = attempt.failure {
            span.attributes.append(Attribute("error.type", failure.cause.rawValue))
            span.error = failure.text
        } else if let status = attempt.status, status >= 400 {
            // A client's span is an error from 400 on (semantic conventions for HTTP).
            span.attributes.append(Attribute("error.type", String(status)))
            span.error = ""
        }
        return span
    }
}

extension StreamFacts {
    /// Without the fields that no span has, and with a bounded path: thousands of requests may wait for their export.
    fileprivate var forSpans: StreamFacts {
        var facts = self
        (facts.referer, facts.userAgent) = (nil, nil)
        facts.path = path.cut(to: TracedRequest.longestPath)
        return facts
    }
}

extension Span.Event {
    fileprivate init(_ event: RequestTrace.Event) {
        switch event.kind {
        case .head(let status):
            self.init("head", at: event.time, [Attribute("http.response.status_code", status)])
        case .firstRecord: self.init("first_record", at: event.time)
        case .drop(let records): self.init("drop", at: event.time, [Attribute("weir.records", records)])
        case .joined(let upstream): self.init("joined", at: event.time, [Attribute("weir.upstream", upstream)])
        }
    }

    fileprivate init(_ pause: PauseLog.Pause) {
        self.init(
            "pause", at: pause.began,
            [Attribute("weir.cause", pause.cause.rawValue), Attribute("weir.duration", seconds: pause.lasted)])
    }
}
