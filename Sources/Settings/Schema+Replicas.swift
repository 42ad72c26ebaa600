import Flow

// The keys of `replicas`, and the checks of limits that count over all replicas.

extension Schema {
    static var replicasKeys: [Key<Configuration.Replicas>] {
        [
            redis.required,
            Key("master", .visible(64), \.master),
            Key("user", .visible(256), \.credentials.user),
            Key("password", .password, \.credentials.password),
            Key("sentinel_user", .visible(256), \.sentinelCredentials.user),
            Key("sentinel_password", .password, \.sentinelCredentials.password),
            Key(fileOrOff: "ca_file", \.authority),
            Key("name", .visible(64), \.name),
            Key("prefix", .visible(64), \.prefix),
            Key("patience", .duration(.milliseconds(1) ... .seconds(1)), \.patience),
        ]
    }

    static var replicas: Key<Configuration> {
        Key("replicas", wholeOrOff: replicasKeys, \.replicas, from: .blank) { check($0, in: $1) }
    }

    private static var redis: Key<Configuration.Replicas> {
        Key(
            name: "redis", .list(of: Form.redisAddress.shape), write: { .list($0.servers.map(Form.redisAddress.text)) }
        ) { setting, replicas in
            guard let addresses = setting.values(.redisAddress) else { return }
            guard !addresses.isEmpty else {
                return setting.report("is an empty list; allowed: \(Form.redisAddress.allowed)")
            }
            replicas.servers = addresses
        }
    }

    /// Reports contradictions between the keys of `replicas`.
    private static func check(_ replicas: Configuration.Replicas, in setting: Setting) {
        let servers = replicas.servers
        if servers.count > 1, replicas.master == nil {
            setting["redis"]?.report("is a list; allowed: one address, or the addresses of Sentinels with `master`")
        }
        if let first = servers.first,
            servers.contains(where: { $0.usesTLS != first.usesTLS || $0.database != first.database })
        {
            setting["redis"]?.report(
                "has addresses that differ in more than host and port; allowed: one scheme and database")
        }
        if let authority = setting["ca_file"], replicas.authority != nil, !servers.contains(where: \.usesTLS) {
            authority.report("has no effect here; allowed: with `rediss:`")
        }
        if let user = setting["user"], replicas.credentials.password == nil {
            user.report("has no effect here; allowed: with `password`")
        }
        if let user = setting["sentinel_user"], replicas.sentinelCredentials.password == nil {
            user.report("has no effect here; allowed: with `sentinel_password`")
        }
        for name in ["sentinel_user", "sentinel_password"] where replicas.master == nil {
            setting[name]?.report("has no effect here; allowed: with `master`")
        }
    }

    /// Reports limits that count over replicas without `replicas`, and `replicas` without such limits, if there is no other
    /// error.
    static func checkReplicas(of configuration: Configuration, in setting: Setting) {
        guard setting.reading.errors.isEmpty, let items = setting["routes"]?.items else { return }
        for (route, item) in zip(configuration.routes, items) where configuration.replicas == nil {
            for scope in scopes(of: route, in: item) {
                scope.report("is `replicas`; allowed: with the key `replicas` beside `routes`")
            }
        }
        guard configuration.replicas != nil, !configuration.routes.contains(where: \.sharesLimits) else { return }
        setting["replicas"]?.report("has no effect here; allowed: with `scope: replicas` in a route")
    }

    /// The settings of a route that are `replicas`.
    private static func scopes(of route: Route, in item: Setting) -> [Setting] {
        var scopes = [(route.streams.scope, item["streams"]?["scope"])]
        scopes.append((route.streams.recordScope, item["streams"]?["client_records"]?["scope"]))
        for (name, tier) in item["tiers"]?.entries ?? [] {
            guard let limits = name.value(.tierName).flatMap({ route.tiers[$0] }) else { continue }
            scopes.append((limits.streams.recordScope, tier["streams"]?["client_records"]?["scope"]))
        }
        scopes.append((route.breaker?.scope ?? .local, item["breaker"]?["scope"]))
        return scopes.compactMap { $0 == .replicas ? $1 : nil }
    }
}

extension Configuration.Replicas {
    /// The initial value; the address is required, so an error was reported if this one remains.
    fileprivate static var blank: Configuration.Replicas {
        Configuration.Replicas(servers: [RedisAddress(location: .unix(path: ""))])
    }
}

extension Form where Value == String {
    /// A name that is sent to a server and shown in logs.
    fileprivate static func visible(_ length: Int) -> Form {
        Form(allowed: "1 to \(length) visible ASCII characters, without spaces", .text) { text in
            (1...length).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : nil
        }
    }
}

extension Form where Value == Secret {
    fileprivate static var password: Form {
        Form(
            allowed: "a password of 1 to 1024 bytes",
            secret: { (1...1024).contains($0.utf8.count) ? Secret($0) : nil })
    }
}
