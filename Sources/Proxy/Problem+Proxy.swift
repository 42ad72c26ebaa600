import Downstream
import Flow
import Upstream

// Which cause gets which status: the causes that arise where the targets meet. The others stand in Flow.

extension Problem {
    init(_ error: UpstreamError) {
        switch error {
        case .unresolved: self = .badUpstream(.unresolved)
        case .unreachable: self = .badUpstream(.refused)
        case .connectTimeout: self = .upstreamTimeout(.connect)
        case .brokenOff: self = .badUpstream(.reset)
        case .malformed: self = .badUpstream(.malformed)
        }
    }

    static func badUpstream(_ failure: RecordFramer.Failure) -> Problem {
        switch failure {
        case .recordTooLarge(let limit): Problem.badUpstream(UpstreamFault.recordTooLarge(limit: limit))
        }
    }

    init(_ fault: RequestFault, limits: ConnectionLimits) {
        switch fault {
        case .malformed: self = .malformedRequest
        case .headTooLarge: self = .headersTooLarge(limit: limits.maximumHeaderBytes)
        case .headTooSlow: self = .requestTimeout
        }
    }
}

extension Outcome {
    init(_ error: UpstreamError) {
        switch error {
        case .unresolved, .unreachable, .brokenOff, .malformed: self = .upstreamFailed
        case .connectTimeout: self = .upstreamTimeout
        }
    }
}
