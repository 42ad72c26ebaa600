import Flow

/// What a pull is, the same on all loops.
struct PullDescription: Sendable {
    /// What its readers have in common.
    let key: SharingKey
    let id: PullId
    let sharing: RouteSharing
    /// The route's name in the metrics.
    let routeName: String
}
