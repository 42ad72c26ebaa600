// The one place that maps causes to statuses. No `default:`: a new cause does not compile before it has a status.

extension Problem {
    package init(_ error: NegotiationError) {
        switch error {
        case .malformed(let header, let reason):
            self.init(.invalidRequest, status: 400, detail: "\(header) \(reason)")
        case .aboveMaximum(let header, let maximum):
            // Waiting does not help, asking for less does; but every 429 has a Retry-After, so it is the least.
            self.init(
                .rateLimit, status: 429, detail: "\(header) asks for more than the maximum of \(maximum)",
                retryAfter: .seconds(1))
        }
    }

    package init(_ error: AdmissionError) {
        switch error {
        case .tooManyStarts(let rate, let retryAfter):
            self = .rateLimit(rate, retryAfter: retryAfter)
        case .tooManyStreamsOfClient(let limit):
            self.init(
                .tooManyStreams, status: 429, detail: "The limit of \(limit) open streams of one client is reached",
                retryAfter: error.retryAfter)
        case .tooManyStreamsOfRoute(let limit, _):
            self.init(
                .tooManyStreams, status: 429, detail: "The limit of \(limit) open streams of this route is reached",
                retryAfter: error.retryAfter)
        case .upstreamBusy(let limit):
            self.init(
                .unavailable, status: 503, detail: "The limit of \(limit) requests at the upstream is reached",
                retryAfter: error.retryAfter)
        case .clientBreakerOpen(let refusal):
            self = .slowConsumer(refusal)
        case .upstreamBreakerOpen(let refusal):
            self = .unavailable(.upstreamBreakerOpen(refusal))
        case .upstreamDown(let retryAfter):
            self = .unavailable(.upstreamDown(retryAfter: retryAfter))
        case .recordBudgetSpent(let rate, let retryAfter):
            self.init(
                .rateLimit, status: 429, detail: "The open streams of this client use its \(rate.text) of records",
                retryAfter: retryAfter)
        case .proxyFull(let retryAfter):
            self = .unavailable(.proxyFull(retryAfter: retryAfter))
        }
    }

    /// A client starts streams faster than a rate allows.
    package static func rateLimit(_ rate: Rate, retryAfter: Duration) -> Problem {
        Problem(
            .rateLimit, status: 429, detail: "Stream rate limit of \(rate.text) exceeded", retryAfter: retryAfter)
    }

    /// The client's breaker is open, or tries the client with as many streams as it may.
    package static func slowConsumer(_ refusal: CircuitBreaker.Refusal) -> Problem {
        var problem = Problem(
            .slowConsumer, status: 429, detail: "This client read its last streams too slowly",
            retryAfter: refusal.retryAfter)
        problem.breaker = refusal.state
        return problem
    }

    /// An in-band notice: the stream goes on without some of its records.
    ///
    /// `count` is the records that were dropped since the last notice, or since the stream began.
    package static func recordsDropped(_ count: Int) -> Problem {
        var problem = Problem(
            .recordsDropped, status: 200, detail: "Records were dropped because this client is behind")
        problem.records = count
        return problem
    }
}

extension Problem {
    /// Why nobody is served at the moment.
    package enum Unavailability: Equatable, Sendable {
        /// The proxy is stopping; another one should be there at once.
        case draining
        /// The proxy is over its own ceiling of memory or streams.
        case proxyFull(retryAfter: Duration)
        case upstreamBreakerOpen(CircuitBreaker.Refusal)
        /// By its health checks.
        case upstreamDown(retryAfter: Duration)
        /// What was asked about all event loops, one of them has not told in time.
        case loopSilent
    }

    /// What was wrong with the upstream's answer, or that there was none.
    package enum UpstreamFault: Equatable, Sendable {
        /// The name has no address.
        case unresolved
        case refused
        /// TLS was not agreed on, or the certificate is not trusted.
        case untrusted
        /// The connection ended before the answer did.
        case reset
        case malformed
        case recordTooLarge(limit: ByteCount)
    }

    /// What the upstream did not do in time.
    package enum UpstreamDelay: Equatable, Sendable {
        case connect, firstByte
    }

    package static func unavailable(_ cause: Unavailability) -> Problem {
        let (detail, retryAfter): (String, Duration) =
            switch cause {
            case .draining: ("The proxy is stopping", .seconds(1))
            case .proxyFull(let retryAfter): ("The proxy carries as much as it can", retryAfter)
            case .upstreamBreakerOpen(let refusal): ("The upstream has failed too often", refusal.retryAfter)
            case .upstreamDown(let retryAfter): ("The upstream does not pass its health checks", retryAfter)
            case .loopSilent: ("An event loop has not answered in time", .seconds(1))
            }
        var problem = Problem(.unavailable, status: 503, detail: detail, retryAfter: retryAfter)
        if case .upstreamBreakerOpen(let refusal) = cause { problem.breaker = refusal.state }
        return problem
    }

    package static func badUpstream(_ fault: UpstreamFault) -> Problem {
        let detail =
            switch fault {
            case .unresolved: "The upstream's name has no address"
            case .refused: "The upstream refused the connection"
            case .untrusted: "No trusted connection to the upstream"
            case .reset: "The upstream ended the connection before its answer was complete"
            case .malformed: "The upstream's answer is malformed"
            case .recordTooLarge(let limit): "The upstream sent a record of more than \(limit.bytes) bytes"
            }
        return Problem(.badUpstream, status: 502, detail: detail)
    }

    package static func upstreamTimeout(_ delay: UpstreamDelay) -> Problem {
        let detail =
            switch delay {
            case .connect: "The upstream did not accept a connection in time"
            case .firstByte: "The upstream did not begin to answer in time"
            }
        return Problem(.upstreamTimeout, status: 504, detail: detail)
    }
}

extension Problem {
    package static let notFound = Problem(.notFound, status: 404, detail: "No route matches this request")

    /// No stream has the id that was asked for, or has it any more.
    package static let noSuchStream = Problem(.notFound, status: 404, detail: "No open stream has this id")

    /// The stream that was asked for is over, or has moved on past what was asked for.
    ///
    /// `first` is the first record from which it can still be resumed; `nil` where it cannot be at all.
    package static func gone(resumableFrom first: Int? = nil) -> Problem {
        let detail = first == nil ? "The stream has expired" : "Of the records that are missing, not all are still held"
        var problem = Problem(.gone, status: 410, detail: detail)
        problem.from = first
        return problem
    }

    /// The request breaks RFC 9112.
    package static let malformedRequest = Problem(
        .invalidRequest, status: 400, detail: "The request is not well-formed HTTP")

    /// The request's header, or what should follow of its body, did not arrive in time.
    package static let requestTimeout = Problem(
        .requestTimeout, status: 408, detail: "The request did not arrive in time")

    /// weir is no tunnel.
    package static let connectNotImplemented = Problem(
        .notImplemented, status: 501, detail: "CONNECT is not supported")

    package static let bodyOfHeadNotImplemented = Problem(
        .notImplemented, status: 501, detail: "HEAD with a body is not supported")

    package static func headersTooLarge(limit: ByteCount) -> Problem {
        Problem(.tooLarge, status: 431, detail: "The request's header is larger than \(limit.bytes) bytes")
    }

    package static func tooManyHeaderFields(limit: Int) -> Problem {
        Problem(.tooLarge, status: 431, detail: "The request's header has more than \(limit) fields")
    }

    package static func bodyTooLarge(limit: ByteCount) -> Problem {
        Problem(.tooLarge, status: 413, detail: "The request's body is larger than \(limit.bytes) bytes")
    }

    /// A header or a body that weir itself reads does not say what it should.
    ///
    /// `detail` says what is wrong and names the header or the member; of what the client sent it holds at most
    /// a plain word.
    package static func invalidRequest(_ detail: String) -> Problem {
        Problem(.invalidRequest, status: 400, detail: detail)
    }
}
