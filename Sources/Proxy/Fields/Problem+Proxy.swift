package import Downstream
package import Flow
import Upstream

// The statuses of causes in Proxy and the targets below it; those of Flow's causes are in Flow.

extension Problem {
    init(_ error: UpstreamError) {
        switch error {
        case .unresolved: self = .badUpstream(.unresolved)
        case .refused: self = .badUpstream(.refused)
        case .unreachable: self = .badUpstream(.unreachable)
        case .connectTimeout: self = .upstreamTimeout(.connect)
        case .handshake: self = .badUpstream(.handshake)
        case .untrusted: self = .badUpstream(.untrusted)
        case .reset, .closedWhileIdle: self = .badUpstream(.reset)
        case .truncated: self = .badUpstream(.truncated)
        case .malformed: self = .badUpstream(.malformed)
        case .silent(let timeout, _): self = .upstreamTimeout(UpstreamDelay(timeout))
        }
    }

    static func badUpstream(_ failure: RecordFramer.Failure) -> Problem {
        switch failure {
        case .recordTooLarge(let limit): Problem.badUpstream(UpstreamFault.recordTooLarge(limit: limit))
        }
    }

    /// The problem of an invalid request; `limits` are those of its connection.
    package init(_ fault: RequestFault, limits: ConnectionLimits) {
        switch fault {
        case .malformed: self = .malformedRequest
        case .headTooLarge: self = .headersTooLarge(limit: limits.maximumHeaderBytes)
        case .tooManyFields: self = .tooManyHeaderFields(limit: Request.mostFields)
        case .headTooSlow: self = .requestTimeout
        }
    }
}

extension Problem {
    /// The problem as a request gets it: with the id of its stream, and the trace id that the client sent.
    func of(_ request: Request, id: StreamId) -> Problem {
        var problem = self
        problem.instance = id.text
        problem.traceId = request.trace?.sharedTraceId
        return problem
    }
}

extension Outcome {
    init(_ error: UpstreamError) {
        self = error.isSilence ? .upstreamTimeout : .upstreamFailed
    }
}

extension Problem {
    /// The request's method is not allowed at this address of weir's own (RFC 9110, section 15.5.6).
    package static func methodNotAllowed(_ allowed: String) -> Problem {
        var problem = Problem(.invalidRequest, status: 405, detail: "This address allows only \(allowed)")
        problem.allowed = allowed
        return problem
    }

    /// `Expect` is not `100-continue` (RFC 9110, section 10.1.1).
    static let expectationFailed = Problem(
        .invalidRequest, status: 417, detail: "The only supported expectation is 100-continue")

    /// The field that identifies clients was sent more than once: one parser would use the first, another the last.
    static func repeatedKey(_ name: String) -> Problem { .invalidRequest("\(name) must be sent at most once") }

    /// The stream cannot be resumed.
    static let cannotResume = Problem(.gone, status: 410, detail: "This stream cannot be resumed")

    /// The request has passed through this proxy before (RFC 9110, section 7.6.3).
    static let loopDetected = Problem(
        .loopDetected, status: 508, detail: "The request has passed through this proxy before; check the upstreams")

    static let endedByOperator = Problem(
        .unavailable, status: 503, detail: "An operator has ended this stream", retryAfter: .seconds(1))

    /// The problem of a body that could not be collected.
    package init(_ failure: RequestBody.Failure) {
        switch failure {
        case .tooLarge(let limit): self = .bodyTooLarge(limit: limit)
        case .tooSlow: self = .requestTimeout
        case .malformed, .brokenOff: self = .malformedRequest
        }
    }
}
