import Flow

// The keys of a route's tiers.

extension Schema {
    static var clientTierKeys: [Key<Route.TierSelector?>] {
        [
            .header({ if case .header(let name) = $0 { name } else { nil } }, { .header($0) }),
            Key(
                name: "file", Form.filePath.shape,
                write: { if case .file(let file) = $0 { .scalar(file.path.path) } else { nil } }
            ) { setting, selector in
                guard let path = setting.value(.filePath) else { return }
                selector = .file(Route.TierFile(path: WrittenPath(path, at: setting)))
            },
        ]
    }

    static var clientTier: Key<Route> {
        Key(
            name: "client_tier", .mapping(of: clientTierKeys).orOff,
            write: { $0.clientTier == nil ? .off : .mapping(of: $0.clientTier, by: clientTierKeys) }
        ) { setting, route in
            guard !setting.isOff else { return route.clientTier = nil }
            setting.read(clientTierKeys, into: &route.clientTier, or: Off.allowed)
            setting.requireOne(of: "header", "file")
        }
    }

    /// Checks only that there are names: what a tier omits is known after the other keys of the route
    /// (``readTiers(in:into:)``).
    static var tiers: Key<Route> {
        Key(
            name: "tiers", .entries(of: .mapping(of: tierKeys)),
            write: { route in
                let tiers = route.tiers.sorted { $0.key < $1.key }
                return YAMLText.mapping(tiers.map { ($0.key, .mapping(of: $0.value, by: tierKeys)) }).unlessEmpty
            }
        ) { setting, _ in
            guard let entries = setting.entries, !entries.isEmpty else {
                return setting.report(
                    "is \(setting.description); allowed: a mapping of the names of tiers to their keys")
            }
            if entries.count > mostTiers { setting.report("has \(entries.count) tiers; allowed: at most \(mostTiers)") }
        }
    }

    /// The most tiers of a route.
    private static let mostTiers = 100

    static var tierKeys: [Key<Route.Tier>] {
        [
            rate(\.policy),
            // The length of a record depends on the upstream, not on the client.
            buffer(\.policy, of: bufferKeys.filter { $0.name != "max_record_bytes" }),
            Key(
                name: "streams", .mapping(of: tierStreamsKeys).orOff,
                write: { .mapping(of: $0.streams, by: tierStreamsKeys) }
            ) { setting, tier in
                guard !setting.isOff else {
                    return (tier.streams.perClient, tier.streams.starts, tier.streams.clientRecords) = (nil, nil, nil)
                }
                setting.read(tierStreamsKeys, into: &tier.streams, or: Off.allowed)
                if tier.streams.starts == nil, let burst = setting["starts_burst"] {
                    burst.report("has no effect here; allowed: with `starts`")
                }
            },
        ]
    }

    /// Those of `streams` that limit one client.
    static var tierStreamsKeys: [Key<Route.StreamLimits>] {
        let names = ["per_client", "starts", "starts_burst", "client_records"]
        return streamsKeys.filter { names.contains($0.name) }
    }

    /// Reads the tiers of a route whose other keys were read; what a tier omits is as for the route.
    static func readTiers(in item: Setting, into route: inout Route) {
        guard let setting = item["tiers"], setting.tag == nil, let entries = setting.entries else { return }
        for (name, value) in entries {
            guard let tier = name.value(.tierName) else { continue }
            var limits = Route.Tier(policy: route.policy, streams: route.streams)
            value.read(tierKeys, into: &limits)
            route.tiers[tier] = limits
        }
    }

    /// Reports tiers that no client can have, and a selector without tiers.
    static func checkTiers(of route: Route, in setting: Setting) {
        if route.clientTier == nil, let tiers = setting["tiers"] {
            tiers.report("has no effect here; allowed: with `client_tier`")
        }
        if route.clientTier != nil, route.tiers.isEmpty {
            setting["client_tier"]?.report("has no effect here; allowed: with `tiers`")
        }
    }
}
