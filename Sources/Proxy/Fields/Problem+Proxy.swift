package import Downstream
package import Flow
import Upstream

// Which cause gets which status: the causes that arise where the targets meet. The others stand in Flow.

extension Problem {
    init(_ error: UpstreamError) {
        switch error {
        case .unresolved: self = .badUpstream(.unresolved)
        case .unreachable: self = .badUpstream(.refused)
        case .connectTimeout: self = .upstreamTimeout(.connect)
        case .untrusted: self = .badUpstream(.untrusted)
        case .brokenOff, .closedWhileIdle: self = .badUpstream(.reset)
        case .malformed: self = .badUpstream(.malformed)
        }
    }

    static func badUpstream(_ failure: RecordFramer.Failure) -> Problem {
        switch failure {
        case .recordTooLarge(let limit): Problem.badUpstream(UpstreamFault.recordTooLarge(limit: limit))
        }
    }

    /// What a client gets that sent no valid request; `limits` are those of its connection.
    package init(_ fault: RequestFault, limits: ConnectionLimits) {
        switch fault {
        case .malformed: self = .malformedRequest
        case .headTooLarge: self = .headersTooLarge(limit: limits.maximumHeaderBytes)
        case .tooManyFields(let limit): self = .tooManyHeaderFields(limit: limit)
        case .headTooSlow: self = .requestTimeout
        }
    }
}

extension Outcome {
    init(_ error: UpstreamError) {
        switch error {
        case .unresolved, .unreachable, .untrusted, .brokenOff, .closedWhileIdle, .malformed: self = .upstreamFailed
        case .connectTimeout: self = .upstreamTimeout
        }
    }
}

extension Problem {
    /// The request's method is not among the `allowed` ones of one of weir's own addresses (RFC 9110, section 15.5.6).
    package static func methodNotAllowed(_ allowed: String) -> Problem {
        var problem = Problem(.invalidRequest, status: 405, detail: "Only \(allowed) can be asked of this address")
        problem.allowed = allowed
        return problem
    }

    /// `Expect` has something else than `100-continue` (RFC 9110, section 10.1.1).
    static let expectationFailed = Problem(
        .invalidRequest, status: 417, detail: "The only expectation that can be met is 100-continue")

    /// The field that identifies clients was sent more than once: one reader would take the first, another the last.
    static func repeatedKey(_ name: String) -> Problem { .invalidRequest("\(name) must be sent at most once") }

    /// A resumption of what cannot be resumed.
    static let cannotResume = Problem(.gone, status: 410, detail: "This stream cannot be resumed")

    static let endedByOperator = Problem(
        .unavailable, status: 503, detail: "An operator has ended this stream", retryAfter: .seconds(1))

    /// Why a body could not be collected.
    package init(_ failure: RequestBody.Failure) {
        switch failure {
        case .tooLarge(let limit): self = .bodyTooLarge(limit: limit)
        case .tooSlow: self = .requestTimeout
        case .malformed, .brokenOff: self = .malformedRequest
        }
    }
}
