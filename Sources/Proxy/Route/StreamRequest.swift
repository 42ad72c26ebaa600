import Downstream
import Flow
import Settings

/// A request that may become a stream, with its client, its route and its terms.
///
/// Passed from the pipeline to its ``Stream``, which then owns it. A class, because a copy of the value, as every read of a
/// property that holds it makes, cost 800 instructions, six times for each request.
final class StreamRequest {
    var request: Request
    /// The client's address, for the log.
    let client: String
    /// The client's key for the route's limits.
    let key: ClientKey
    /// The name of the client's tier on the route, also after a reload; `nil` if it has none.
    let tier: String?
    /// The route that the request matched, or, after a reload, its replacement.
    var route: ProxyRoute
    /// The configuration by which it was matched, and is served until its end.
    let served: ServedConfiguration
    var terms: Terms
    let preferences: Preferences
    let maxForwards: MaxForwards
    /// Whether it shares another's request to the upstream.
    var sharing = RequestSharing.off
    /// By which the client finds the stream again with `Last-Event-ID`; `nil` if it has to know the stream's id.
    var resumption: ResumptionKey?
    /// The body, until all of it is taken or the rest is not needed; `nil` for a request without one.
    var body: RequestBody?

    init(
        request: Request, client: String, key: ClientKey, tier: String? = nil, route: ProxyRoute,
        served: ServedConfiguration, terms: Terms, preferences: Preferences, maxForwards: MaxForwards = .unlimited,
        body: RequestBody? = nil
    ) {
        self.request = request
        self.client = client
        self.key = key
        self.tier = tier
        self.route = route
        self.served = served
        self.terms = terms
        self.preferences = preferences
        self.maxForwards = maxForwards
        self.body = body
    }
}

extension StreamRequest {
    /// Whether the streams of its client share a budget of records.
    var sharesBudget: Bool { route.settings.streams(of: tier).clientRecords != nil }

    /// Admits the stream for as long as the permit lives.
    ///
    /// - Throws: The first refusal; then nothing was taken.
    func admit(at now: Instant) throws(AdmissionError) -> Permit {
        route.applyOpening(of: key, at: now)
        return try route.gate.admit(key, tier: tier, takesUpstream: !sharing.isShared, at: now)
    }
}
