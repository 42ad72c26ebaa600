import Downstream
import Flow

/// A request that may become a stream: what was asked, by whom, of which route, and on which terms.
struct StreamRequest {
    var request: Request
    /// The client's address, for the log.
    let client: String
    /// The client as the route's limits count it.
    let key: ClientKey
    /// That of the configuration that it was matched by, or, after a reload, the one that took its place.
    var route: ProxyRoute
    /// The configuration that it was matched by, and is served by to its end.
    let served: ServedConfiguration
    var terms: Terms
    let preferences: Preferences
    var maxForwards = MaxForwards.unlimited
    /// Until all of it has been taken, or nobody wants the rest; `nil` for a request without one.
    var body: RequestBody?
}
