import Flow
import HTTPText
import Logging

/// The warnings of a route to the operator, who alone can change what they report; each at most once a minute.
struct RouteWarnings: Sendable {
    /// The route's name.
    private let route: String
    private let coding = WarningPace(every: .seconds(60))
    private let type = WarningPace(every: .seconds(60))
    private let tier = WarningPace(every: .seconds(60))

    init(route: String) { self.route = route }

    /// The rate is not applied to a response.
    func unmetered(_ kind: ResponseKind, type responseType: String?, to process: Logger, at now: Instant) {
        if case .coded(let name) = kind, coding.isDue(at: now) {
            process.warning(
                "a stream comes compressed and passes unmetered",
                metadata: ["route": "\(route)", "coding": "\(name.rawValue)"])
        }
        if kind == .unknownType, type.isDue(at: now) {
            process.warning(
                "the rate is not applied to a response whose type is not a stream's; see `framing` and `types`",
                metadata: ["route": "\(route)", "type": "\(FieldText.readable(responseType ?? ""))"])
        }
    }

    /// A client's tier is not one of the route's; its name is not logged, since a wrong header may hold a secret.
    func unknownTier(to process: Logger, at now: Instant) {
        guard tier.isDue(at: now) else { return }
        process.warning(
            "a client has a tier that the route does not have; see `tiers` and `client_tier`",
            metadata: ["route": "\(route)"])
    }

    /// An upstream has failed: logged at most once a minute for each upstream.
    func failed(_ failure: UpstreamFailure, of upstream: RouteUpstream, to process: Logger, at now: Instant) {
        guard let count = upstream.history.failed(failure, at: now) else { return }
        let isTrust = failure.cause == .tlsCertificate
        process.log(
            level: isTrust ? .warning : .info,
            isTrust ? "no trusted connection to an upstream" : "an upstream has failed",
            metadata: [
                "route": "\(route)", "upstream": "\(upstream.name)", "cause": "\(failure.cause.rawValue)",
                "error": "\(failure.text)", "failures": "\(count)",
            ])
    }
}
