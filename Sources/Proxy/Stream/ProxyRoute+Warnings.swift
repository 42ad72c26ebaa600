import Flow
import HTTPText
import Logging

/// Warnings to the operator, who alone can change what they report; each at most once a minute for a route.
extension ProxyRoute {
    /// The rate is not applied to a response.
    func warnOfUnmetered(_ kind: ResponseKind, type: String?, to process: Logger, at now: Instant) {
        if case .coded(let coding) = kind, codingWarnings.isDue(at: now) {
            process.warning(
                "a stream comes compressed and passes unmetered",
                metadata: ["route": "\(name)", "coding": "\(coding.rawValue)"])
        }
        if kind == .unknownType, typeWarnings.isDue(at: now) {
            process.warning(
                "the rate is not applied to a response whose type is not a stream's; see `framing` and `types`",
                metadata: ["route": "\(name)", "type": "\(FieldText.readable(type ?? ""))"])
        }
    }

    /// A client's tier is not one of the route's; its name is not logged, since a wrong header may hold a secret.
    func warnOfUnknownTier(to process: Logger, at now: Instant) {
        guard tierWarnings.isDue(at: now) else { return }
        process.warning(
            "a client has a tier that the route does not have; see `tiers` and `client_tier`",
            metadata: ["route": "\(name)"])
    }

    /// An upstream has failed: logged at most once a minute for each upstream.
    func warn(of failure: UpstreamFailure, from upstream: RouteUpstream, to process: Logger, at now: Instant) {
        guard let count = upstream.history.failed(failure, at: now) else { return }
        let isTrust = failure.cause == .tlsCertificate
        process.log(
            level: isTrust ? .warning : .info,
            isTrust ? "no trusted connection to an upstream" : "an upstream has failed",
            metadata: [
                "route": "\(name)", "upstream": "\(upstream.name)", "cause": "\(failure.cause.rawValue)",
                "error": "\(failure.text)", "failures": "\(count)",
            ])
    }
}
