import Downstream
import Flow

/// A request that may become a stream: what was asked, by whom, of which route, and on which terms.
struct StreamRequest {
    var request: Request
    /// The client's address, for the log.
    let client: String
    /// The client as the route's limits count it.
    let key: ClientKey
    let route: ProxyRoute
    var terms: Terms
    let preferences: Preferences
}
