import Flow

// The keys of a route for clients that share one request to the upstream.

extension Schema {
    static var sharing: [Key<Route>] { [Key("shared", orOff: sharedKeys, \.shared, from: Route.Sharing())] }

    static var sharedKeys: [Key<Route.Sharing>] {
        [
            keyFields,
            Key("join", .word(), \.join),
            Key("retain", retainKeys, \.retention),
            // Any but the default contradicts a queue that drops records.
            Key("lag", .word(), \.lag).written { $0.lag != Route.Sharing().lag },
            Key("linger", .duration(.zero ... .hours(1)), \.linger),
            Key("max_readers", .integer(count), \.maxReaders),
            Key("max_pulls", .integer(count), \.maxPulls),
        ]
    }

    static var retainKeys: [Key<Retention>] {
        [
            Key("records", .integer(1...10_000_000), \.records),
            Key("bytes", .size(.kibibytes(1) ... .gibibytes(1)), \.bytes),
            Key("age", orOff: .duration(.milliseconds(100) ... .hours(24)), \.age),
        ]
    }

    private static var keyFields: Key<Route.Sharing> {
        Key(
            name: "key", .list(of: Form.headerName.shape), write: { YAMLText.list($0.key).unlessEmpty }
        ) { setting, shared in
            guard let names = setting.values(.headerName) else { return }
            var seen: Set<String> = []
            for (name, item) in zip(names, setting.items) {
                if !seen.insert(name.lowercased()).inserted {
                    item.report("is \(item.description): it is listed twice")
                } else if !SharingRules.mayName(name) {
                    item.report(
                        "is \(item.description): weir handles this field itself or never forwards it; allowed: other "
                            + "fields")
                }
            }
            shared.key = names
        }
    }

    /// Reports contradictions between `shared` and the route's other keys.
    static func checkSharing(of route: Route, in setting: Setting) {
        guard let shared = route.shared else { return }
        if route.framing == .none {
            setting.report("has no effect here; allowed: with `framing: auto` or the name of a format")
        }
        if !route.match.methods.isEmpty, !route.match.methods.contains("GET") {
            setting.report("has no effect here; allowed: on a route that matches `GET`")
        }
        if shared.join == .keys, route.key == nil, let join = setting["join"] {
            join.report("is \(join.description); allowed: with `key`, which says where the key of a record is")
        }
        guard let lag = setting["lag"] else { return }
        if route.overflow.drops {
            lag.report("has no effect here; allowed: without `overflow: \(route.overflow.rawValue)`, which never lags")
        } else if shared.lag == .wait, route.stallTimeout == nil || route.stallTimeout?.isDryRun == true {
            // It ends a reader that stops all others: by not reading, by its pace or pause, or because it has no client.
            lag.report("is \(lag.description); allowed: with a `stall_timeout` that is enforced")
        }
    }

    // MARK: Probable mistakes

    /// Reports settings of `shared` that the route's other keys, or the limits of the process, make useless.
    static func warnOfSharing(_ route: Route, limits: Configuration.Limits, in item: Setting) {
        guard let shared = route.shared, let setting = item["shared"] else { return }
        warnOfRetention(shared, route.policy.maximumRecordBytes, limits, in: setting)
        let unsent = route.headers.request.names
        for (name, written) in zip(shared.key, setting["key"]?.items ?? []) where unsent.contains(name.lowercased()) {
            written.warn(
                "is \(written.description): `headers.request` replaces or removes this field, so that requests differ "
                    + "in it without a difference for the upstream")
        }
        let rules = SharingRules(names: shared.key)
        for condition in route.match.headers where rules.excludes(condition.name) {
            setting.warn(
                "has no effect here: all requests of this route have \(quoted(condition.name)), and such requests are "
                    + "shared only if `key` names it")
        }
    }

    private static func warnOfRetention(
        _ shared: Route.Sharing, _ longest: ByteCount, _ limits: Configuration.Limits, in setting: Setting
    ) {
        let retained = shared.retention.bytes, written = setting["retain"]?["bytes"] ?? setting
        if let limit = limits.maxBufferBytes, retained > limit {
            written.warn(
                "retains up to \(retained.text), and `limits.max_buffer_bytes` is \(limit.text): beyond that nothing is "
                    + "retained")
        }
        if shared.join != .next, retained < longest {
            written.warn(
                "retains up to \(retained.text), and a record may have \(longest.text) (`buffer.max_record_bytes`): a "
                    + "larger one is not there for clients that come later")
        }
    }
}
