package import Flow

/// What happened to a request, for the operator: the access log and the metrics are two switches over it.
package enum StreamEvent: Equatable, Sendable {
    case started(StreamFacts)
    /// It goes on; sent every so often where the configuration asks for it.
    case progressed(StreamFacts, StreamTotals)
    case ended(StreamFacts, StreamTotals, StreamEnd)
}

/// What is known of a request when it was read.
package struct StreamFacts: Equatable, Sendable {
    /// Every request has one; a client reads it in `X-Stream-Id`, or in the `instance` of a problem.
    package var id: StreamId?
    /// The client's address; never the value of a header, which may be a secret.
    package var client: String
    /// The route's name in the configuration; `nil` where none matched.
    package var route: String?
    package var method: String
    package var path: String
    /// As in the request line: `HTTP/1.1`.
    package var httpVersion: String
    package var referer: String?
    package var userAgent: String?
    package var traceId: String?

    package init(
        id: StreamId? = nil, client: String, route: String? = nil, method: String, path: String,
        httpVersion: String = "HTTP/1.1", referer: String? = nil, userAgent: String? = nil, traceId: String? = nil
    ) {
        self.id = id
        self.client = client
        self.route = route
        self.method = method
        self.path = path
        self.httpVersion = httpVersion
        self.referer = referer
        self.userAgent = userAgent
        self.traceId = traceId
    }
}

/// What a request has come to so far.
package struct StreamTotals: Equatable, Sendable {
    /// Of the response; `nil` before it has one.
    package var status: Int?
    /// The upstream's address; `nil` where none was asked.
    package var upstream: String?
    /// Upstreams that were asked, the last of them ``upstream``.
    package var attempts = 0
    /// `nil` for what is no stream; then nothing that is counted in records is told.
    package var terms: Terms?
    /// Records written to the client.
    package var records: Int
    /// Bytes of the body written to the client.
    package var bytes: ByteCount
    /// Since the request was read.
    package var lasted: Duration
    /// The most records that the queue has held.
    package var bufferPeak: Int
    /// How often the upstream was paused, and for how long altogether.
    package var pauses: Int
    package var paused: Duration
    /// Records that the overflow policy dropped.
    package var dropped = 0
    /// How often the client gave feedback, and for how long altogether it held its own stream back.
    package var feedbacks = 0
    package var held = Duration.zero
    /// How often the client came back for the rest.
    package var resumptions = 0
    /// What it would have been refused or ended for, were the limits not on trial.
    package var dryRuns: [Problem.Kind] = []
    /// Why the granted rate was not applied; `nil` if it was, or if there was none.
    package var unmetered: UnmeteredCause?

    package init(
        status: Int? = nil, upstream: String? = nil, terms: Terms? = nil, records: Int = 0, bytes: ByteCount = .zero,
        lasted: Duration = .zero, bufferPeak: Int = 0, pauses: Int = 0, paused: Duration = .zero
    ) {
        self.status = status
        self.upstream = upstream
        self.terms = terms
        self.records = records
        self.bytes = bytes
        self.lasted = lasted
        self.bufferPeak = bufferPeak
        self.pauses = pauses
        self.paused = paused
    }

    /// Zero before any time has passed.
    package var recordsPerSecond: Double {
        lasted > .zero ? Double(records) / lasted.inSeconds : 0
    }
}

/// How a request ended.
package struct StreamEnd: Equatable, Sendable {
    package var outcome: Outcome
    /// What the client was told, where something was wrong.
    package var problem: Problem.Kind?
    /// Why the upstream's response was rejected or incomplete, as text without anything that the client sent.
    package var upstreamError: String?
    /// The end of the body was the end of the connection (HTTP/1.0), so that the client cannot tell it from a cut.
    package var isDelimitedByClose: Bool

    package init(
        _ outcome: Outcome, problem: Problem.Kind? = nil, upstreamError: String? = nil, isDelimitedByClose: Bool = false
    ) {
        self.outcome = outcome
        self.problem = problem
        self.upstreamError = upstreamError
        self.isDelimitedByClose = isDelimitedByClose
    }
}
