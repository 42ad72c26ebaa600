import Flow

// The keys of a route for overload: full queues, slow clients, failing upstreams, late responses.

extension Schema {
    static var overload: [Key<Route>] {
        [
            Key("overflow", .word(), \.overflow),
            Key("key", .jsonPointer, \.key),
            stallTimeout,
            Key("breaker", orOff: clientBreakerKeys, \.breaker, from: .client),
            Key("upstream_breaker", orOff: breakerKeys(counting: "failures"), \.upstreamBreaker, from: .upstream),
            asyncWait,
            Key("async", orOff: asyncKeys, \.async, from: Route.Async()),
            Key("resume_window", orOff: .duration(.seconds(1) ... .hours(1)), \.resumeWindow),
            Key("on_client_gone", .word(), \.onClientGone),
        ]
    }

    /// Reports keys that have no effect in combination with the others.
    static func checkUse(of route: Route, in setting: Setting) {
        if route.overflow != .latest, route.shared?.join != .keys, let key = setting["key"] {
            key.report("has no effect here; allowed: with `overflow: latest` or `shared: { join: keys }`")
        }
        checkTiers(of: route, in: setting)
        if let shared = setting["shared"] { checkSharing(of: route, in: shared) }
        if route.shared != nil, route.weight?.isCumulative == true, let cumulative = setting["weight"]?["cumulative"] {
            // A reader that joins later would be charged for the records before.
            cumulative.report("is \(cumulative.description); allowed: without `shared`")
        }
        if route.weight != nil, ([route.streams] + route.tiers.values.map(\.streams)).contains(where: countsAtReplicas),
            let weight = setting["weight"]
        {
            // The share of a replica follows from the records that it draws.
            weight.report("is \(weight.description); allowed: without `scope: replicas` of `client_records`")
        }
        if route.framing != .auto, let types = setting["types"] {
            types.report("has no effect here; allowed: with `framing: auto`")
        }
        if let tls = setting["upstream_tls"], !route.upstreams.contains(where: { $0.scheme == .https }) {
            tls.report("has no effect here; allowed: with an upstream at `https:`")
        } else if route.upstreamTLS.isInsecure, route.upstreamTLS.authority != nil {
            setting["upstream_tls"]?["ca_file"]?.report("has no effect here; allowed: without `insecure: true`")
        }
        if route.framing == .none {
            for key in [
                setting["end_record"], setting["weight"], setting["pace"], setting["timeouts"]?["first_record"],
                setting["timeouts"]?["between_records"],
            ] {
                key?.report("has no effect here; allowed: with `framing: auto` or the name of a format")
            }
        }
        if route.heartbeat != nil, [.jsonSequence, .none].contains(route.framing), let heartbeat = setting["heartbeat"]
        {
            heartbeat.report("has no effect here; allowed: with `framing: auto`, `ndjson` or `sse`")
        }
    }

    private static func countsAtReplicas(_ streams: Route.StreamLimits) -> Bool { streams.recordScope == .replicas }

    static var stallTimeoutKeys: [Key<Route.StallTimeout>] {
        [
            Key("after", .stall, \.after),
            Key("dry_run", .flag, \.isDryRun),
        ]
    }

    private static var stallTimeout: Key<Route> {
        Key(
            name: "stall_timeout", .either([.mapping(of: stallTimeoutKeys), Form.stall.or(Off.words).shape]),
            write: { .mapping(of: $0.stallTimeout, orOffBy: stallTimeoutKeys) }
        ) { setting, route in
            var timeout = Route.StallTimeout()
            if setting.isMapping {
                setting.read(stallTimeoutKeys, into: &timeout)
                route.stallTimeout = timeout
            } else if let after = setting.value(Form.stall.or(Off.words), or: Setting.mapping(of: stallTimeoutKeys)) {
                route.stallTimeout = after.map { after in
                    timeout.after = after
                    return timeout
                }
            }
        }
    }

    /// The keys of a breaker; the key named `count` is the number of failures.
    static func breakerKeys(counting count: String) -> [Key<Route.Breaker>] {
        [
            // Each failure in the window may be stored, for each client.
            Key(count, .integer(1...1000), \.failures),
            Key("window", .duration(.seconds(1) ... .hours(24)), \.window),
            Key("cooldown", .duration(.seconds(1) ... .hours(24)), \.cooldown),
            Key("probes", .integer(1...1000), \.probes),
            Key("probe_records", .integer(1...1_000_000), \.probeRecords),
            Key("dry_run", .flag, \.isDryRun),
        ]
    }

    static var clientBreakerKeys: [Key<Route.Breaker>] {
        breakerKeys(counting: "trips") + [Key("scope", .word(), \.scope)]
    }

    private static var asyncWait: Key<Route> {
        let form: Form<Duration> = .duration(.zero ... .seconds(300))
        return Key(
            name: "async_wait", form.shape, write: { $0.async.map { .scalar(form.text($0.wait)) } }
        ) { setting, route in
            if let wait = setting.value(form) { route.async?.wait = wait }
        }
    }

    static var asyncKeys: [Key<Route.Async>] {
        [
            Key("per_client", .integer(count), \.perClient),
            Key("expiry", .duration(.seconds(1) ... .hours(1)), \.expiry),
        ]
    }
}

extension Form where Value == Duration {
    fileprivate static var stall: Form { .duration(.milliseconds(1) ... .hours(24)) }
}
