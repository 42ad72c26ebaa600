// The only mapping of causes to statuses. No `default:`: a new cause does not compile before it has a status.

extension Problem {
    /// Status 400 for a malformed header, 429 for a preference above the maximum.
    package init(_ error: NegotiationError) {
        switch error {
        case .malformed(let header, let reason):
            self.init(.invalidRequest, status: 400, detail: "\(header) \(reason)")
        case .aboveMaximum(let header, let maximum):
            // Waiting does not help, a smaller value does; but every 429 has a `Retry-After`, so it is the minimum.
            self.init(
                .rateLimit, status: 429, detail: "\(header) asks for more than the maximum of \(maximum)",
                retryAfter: .seconds(1))
        }
    }

    /// Status 429 for a limit that the client can avoid, 503 for one of the upstream or of the proxy.
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
        case .upstreamDrained: self = .unavailable(.upstreamDrained)
        case .recordBudgetSpent(let rate, let retryAfter):
            self.init(
                .rateLimit, status: 429, detail: "The streams of this client use its budget of \(rate.text)",
                retryAfter: retryAfter)
        case .recordQuotaSpent(let quota, let retryAfter):
            self.init(
                .rateLimit, status: 429, detail: "This client has used its quota of \(quota.text)",
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

    /// The client's breaker is open, or all its probes are admitted.
    package static func slowConsumer(_ refusal: CircuitBreaker.Refusal) -> Problem {
        var problem = Problem(
            .slowConsumer, status: 429, detail: "This client read its last streams too slowly",
            retryAfter: refusal.retryAfter)
        problem.breaker = refusal.state
        return problem
    }

    /// A notice in the stream: it continues without some of its records.
    ///
    /// `count` is the number of records dropped since the last notice, or since the stream began.
    package static func recordsDropped(_ count: Int) -> Problem {
        var problem = Problem(
            .recordsDropped, status: 200, detail: "Records were dropped because this client is behind")
        problem.records = count
        return problem
    }
}

extension Problem {
    /// Status 503, with a `Retry-After`.
    package static func unavailable(_ cause: Unavailability) -> Problem {
        var problem = Problem(.unavailable, status: 503, detail: cause.detail, retryAfter: cause.retryAfter)
        if case .upstreamBreakerOpen(let refusal) = cause { problem.breaker = refusal.state }
        return problem
    }

    /// Status 502.
    package static func badUpstream(_ fault: UpstreamFault) -> Problem {
        var problem = Problem(.badUpstream, status: 502, detail: fault.detail)
        problem.cause = fault.cause
        return problem
    }

    /// Status 504.
    package static func upstreamTimeout(_ delay: UpstreamDelay) -> Problem {
        var problem = Problem(.upstreamTimeout, status: 504, detail: delay.detail)
        problem.cause = delay.cause
        return problem
    }
}

extension Problem {
    /// Status 404: no route matches.
    package static let notFound = Problem(.notFound, status: 404, detail: "No route matches this request")

    /// Status 404: no open stream has the requested id.
    package static let noSuchStream = Problem(.notFound, status: 404, detail: "No open stream has this id")

    /// Status 410: the requested stream has ended, or its requested records are no longer buffered.
    ///
    /// `first` is the first record from which it can still be resumed; `nil` if it cannot be resumed at all.
    package static func gone(resumableFrom first: Int? = nil) -> Problem {
        let detail = first == nil ? "The stream has expired" : "Not all of the missing records are still buffered"
        var problem = Problem(.gone, status: 410, detail: detail)
        problem.from = first
        return problem
    }

    /// The request breaks RFC 9112.
    package static let malformedRequest = Problem(
        .invalidRequest, status: 400, detail: "The request is not well-formed HTTP")

    /// The request's header, or the next part of its body, did not arrive in time.
    package static let requestTimeout = Problem(
        .requestTimeout, status: 408, detail: "The request did not arrive in time")

    /// weir does not support tunnels.
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

    /// A header or a body that weir itself reads is invalid.
    ///
    /// `detail` is the fault, with the name of the header or the member; of the client's text it contains at most one
    /// plain word.
    package static func invalidRequest(_ detail: String) -> Problem {
        Problem(.invalidRequest, status: 400, detail: detail)
    }
}
