import Flow
import HTTPText
import Logging
import Upstream

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

    /// An upstream is not trusted.
    func warn(of error: UpstreamError, from upstream: String?, to process: Logger, at now: Instant) {
        guard case .untrusted(let reason) = error, trustWarnings.isDue(at: now) else { return }
        process.warning(
            "no trusted connection to an upstream",
            metadata: ["route": "\(name)", "upstream": "\(upstream ?? "")", "error": "\(reason)"])
    }
}
