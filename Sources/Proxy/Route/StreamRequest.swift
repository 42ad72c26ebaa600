import Downstream
import Flow

/// A request that may become a stream, with its client, its route and its terms.
struct StreamRequest {
    var request: Request
    /// The client's address, for the log.
    let client: String
    /// The client's key for the route's limits.
    let key: ClientKey
    /// The route that the request matched, or, after a reload, its replacement.
    var route: ProxyRoute
    /// The configuration by which it was matched, and is served until its end.
    let served: ServedConfiguration
    var terms: Terms
    let preferences: Preferences
    var maxForwards = MaxForwards.unlimited
    /// The body, until all of it is taken or the rest is not needed; `nil` for a request without one.
    var body: RequestBody?
}
