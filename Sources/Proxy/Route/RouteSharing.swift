import Flow
import Settings
import Synchronization

/// How the clients of a route share requests to its upstreams.
final class RouteSharing: Sendable {
    private static let scopes = Atomic<Int>(0)

    let settings: Route.Sharing
    let rules: SharingRules
    /// Fields of the key that only a trusted peer may send; in lower case.
    let proxyNames: Set<String>
    /// See ``SharingKey/scope``.
    let scope: Int

    init(_ settings: Route.Sharing) {
        self.settings = settings
        rules = SharingRules(names: settings.key)
        proxyNames = Set(rules.names.filter(\.isSetByProxies))
        scope = Self.scopes.add(1, ordering: .relaxed).newValue
    }
}
