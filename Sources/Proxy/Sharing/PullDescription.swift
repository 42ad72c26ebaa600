import Downstream
import Flow
import Settings

/// What a pull is, the same on all loops.
struct PullDescription: Sendable {
    /// What its readers have in common.
    let key: SharingKey
    let id: PullId
    let sharing: RouteSharing
    /// The route's name in the metrics.
    let routeName: String
    /// What its readers requested, without the query, for operators; at most ``longestPath`` characters.
    let path: String
    /// How long a reader may keep it waiting without taking a record; `nil` unless it waits for the slowest.
    let holdLimit: TimeLimit?

    private static let longestPath = 200

    init(_ key: SharingKey, _ id: PullId, of request: StreamRequest, _ sharing: RouteSharing) {
        (self.key, self.id, self.sharing) = (key, id, sharing)
        routeName = request.route.name
        path = String(request.request.path.prefix(Self.longestPath))
        holdLimit = sharing.settings.lag == .wait ? request.route.machineLimits.stall : nil
    }
}
