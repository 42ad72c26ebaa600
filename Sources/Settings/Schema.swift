import Flow

/// The keys of `proxy.conf`, mapping by mapping: the form of each value, and the property it sets.
///
/// Every form and range is defined here and in `Schema+Route.swift`, every default in `Configuration` and `Route`.
/// `proxy.conf.example` documents them; a test compares them.
enum Schema {
    static var configuration: [Key<Configuration>] {
        [
            listen,
            Key("reuse_port", .flag, \.reusesPort),
            Key("admin", orOff: .listenAddress, \.admin),
            Key("admin_token", orOff: .token, \.adminToken),
            Key("trace_context", .flag, \.isTracing),
            Key("workers", .integer(1...1024), or: ["auto"], \.workers),
            accessLog,
            Key("log_level", .word(), \.logLevel),
            Key("problem_base", .problemBase, \.problemBase),
            trustedProxies,
            Key("forwarded_header", .word(), \.forwardedHeader),
            Key("via", orOff: .pseudonym, \.via),
            Key("proxy_name", orOff: .proxyName, \.proxyName),
            Key("shutdown_grace", .duration(.zero ... .hours(24)), \.shutdownGrace),
            Key("limits", limits, \.limits),
            Key("paths", paths, \.paths),
            tls,
            replicas,
            otlp,
            Key("http2", orOff: http2Keys, \.http2, from: Configuration.HTTP2()),
            routes.required,
        ]
    }

    /// Where a key belongs that is written at another place, in the words of an error; `nil` if that is not known.
    static func home(of name: String) -> String? {
        let isOfRoutes = route.contains { $0.name == name }, isOfFile = configuration.contains { $0.name == name }
        return switch (isOfRoutes, isOfFile) {
        case (true, false): "an item of `routes`"
        case (false, true): "the top level of the file"
        default: nil
        }
    }

    static var limits: [Key<Configuration.Limits>] {
        [
            Key("max_connections", .integer(count), \.maxConnections),
            Key("connections_per_address", orOff: .integer(count), \.connectionsPerAddress),
            Key("max_streams", .integer(count), \.maxStreams),
            Key("max_buffer_bytes", orOff: .size(.mebibytes(1) ... .gibibytes(1024)), \.maxBufferBytes),
            Key("dry_run", .flag, \.isDryRun),
            Key("max_header_bytes", .size(.kibibytes(1) ... .mebibytes(1)), \.maxHeaderBytes),
            Key("header_timeout", .duration(.milliseconds(1) ... .hours(1)), \.headerTimeout),
            Key("keepalive_timeout", .duration(.milliseconds(1) ... .hours(24)), \.keepaliveTimeout),
        ]
    }

    static var paths: [Key<Configuration.Paths>] {
        [Key("streams", orOff: .ownPath, \.streams), Key("health", orOff: .ownPath, \.health)]
    }

    static var http2Keys: [Key<Configuration.HTTP2>] {
        // Each may buffer a window of a request's body, and a batch of a response.
        [Key("max_concurrent_streams", .integer(1...10000), \.maxConcurrentStreams)]
    }

    /// Reports routes below a path that weir answers itself, and such paths below each other, if there is no other
    /// error.
    static func checkPaths(of configuration: Configuration, in setting: Setting) {
        guard setting.reading.errors.isEmpty, let items = setting["routes"]?.items else { return }
        let paths = configuration.paths
        for (name, path) in [("streams", paths.streams), ("health", paths.health)] {
            guard let path else { continue }
            for (route, item) in zip(configuration.routes, items) where RouteMatch(path: path).covers(route.match) {
                let reason = "weir itself answers below `paths.\(name)`, which is \(quoted(path))"
                setting.reading.report("this route never matches: \(reason)", at: item.position)
            }
        }
        guard let streams = paths.streams, let health = paths.health, let written = setting["paths"],
            RouteMatch(path: health).covers(RouteMatch(path: streams))
        else { return }
        let reason = "`paths.streams`, which is \(quoted(streams)), is below `paths.health`"
        setting.reading.report("\(reason): no stream could be requested", at: written.position)
    }

    /// For connections and streams: above the capacity of one machine, so that only typing errors are rejected.
    static let count = 1...1_000_000

    private static var listen: Key<Configuration> {
        Key(
            name: "listen", .list(of: .either([Form.listenAddress.shape, .mapping(of: listenerKeys)])),
            write: { .list($0.listen.map(text(of:))) }
        ) { setting, configuration in
            let items = setting.items, listeners = items.compactMap { listener($0) }
            guard !items.isEmpty else {
                let allowed = "\(Form.listenAddress.allowed), or \(Setting.mapping(of: listenerKeys))"
                return setting.report("is an empty list; allowed: \(allowed)")
            }
            guard listeners.count == items.count else { return }
            var seen: Set<ListenAddress> = []
            for (listener, item) in zip(listeners, items) where listener.address.isExclusive {
                // SO_REUSEPORT would give the second listener half of the first one's connections.
                if !seen.insert(listener.address).inserted {
                    item.report("is \(item.description): it is listed twice")
                }
            }
            configuration.listen = listeners
        }
    }

    /// Reports an admin listener at a public listener's address, or without a token at an address that other machines
    /// can reach, if all addresses are valid.
    static func checkListeners(of configuration: Configuration, in setting: Setting) {
        guard setting.reading.errors.isEmpty, let admin = configuration.admin else { return }
        let written = setting["admin"] ?? setting["listen"] ?? setting
        if admin.isExclusive, configuration.listen.contains(where: { $0.address == admin }) {
            written.report(
                "is \(written.description): `admin` and `listen` have the same address; allowed: different addresses")
        }
        if !admin.isLocal, configuration.adminToken == nil {
            let reason = "other machines can reach it, and `admin_token` is not set"
            written.report("is \(written.description): \(reason); allowed: a loopback address, or `unix:` and a path")
        }
    }

    private static var trustedProxies: Key<Configuration> {
        Key(
            name: "trusted_proxies", .list(of: Form.addressBlock.shape).orOff,
            write: { YAMLText.list($0.trustedProxies.map(Form.addressBlock.text)).unlessEmpty ?? .off }
        ) { setting, configuration in
            guard !setting.isOff else { return configuration.trustedProxies = [] }
            if let blocks = setting.values(.addressBlock) { configuration.trustedProxies = blocks }
        }
    }

    /// The keys of `access_log`; either the whole or its path may be off.
    struct AccessLogKeys {
        var destination: Configuration.AccessLog.Destination? = .standardOutput
        var written = Configuration.AccessLog()
    }

    static var accessLogKeys: [Key<AccessLogKeys>] {
        [
            Key("path", orOff: .logDestination, \.destination),
            Key("format", .word(), \.written.format),
            Key("start", .flag, \.written.tellsStarts).written { $0.written.format == .json },
            Key("every", orOff: .duration(.seconds(1) ... .hours(24)), \.written.progressInterval)
                .written { $0.written.format == .json },
        ]
    }

    private static var accessLog: Key<Configuration> {
        Key(
            name: "access_log", .mapping(of: accessLogKeys).orOff,
            write: { configuration in
                guard let log = configuration.accessLog else { return .off }
                return .mapping(of: AccessLogKeys(destination: log.destination, written: log), by: accessLogKeys)
            }
        ) { setting, configuration in
            guard !setting.isOff else { return configuration.accessLog = nil }
            var keys = AccessLogKeys()
            setting.read(accessLogKeys, into: &keys, or: Off.allowed)
            configuration.accessLog = keys.destination.map { destination in
                keys.written.destination = destination
                return keys.written
            }
            guard keys.written.format == .combined else { return }
            for name in ["start", "every"] where setting[name]?.isOff == false {
                setting[name]?.report("has no effect here; allowed: with `format: json`, or `off`")
            }
        }
    }

    private static var routes: Key<Configuration> {
        Key(
            name: "routes", .sequence(of: .mapping(of: Schema.route)),
            write: { .list($0.routes.map { .mapping(of: $0, by: Schema.route) }) }
        ) { setting, configuration in
            guard setting.isList, !setting.items.isEmpty else {
                let written = setting.isList ? "an empty list" : setting.description
                return setting.report("is \(written); allowed: a list of one route or more")
            }
            var read: [(route: Route, line: Int)] = []
            for item in setting.items {
                let errors = setting.reading.errors.count
                var route = Route.blank
                item.read(Schema.route, into: &route)
                readTiers(in: item, into: &route)
                // The match of a route with an error is not known.
                guard errors == setting.reading.errors.count else { continue }
                checkUse(of: route, in: item)
                if let first = read.first(where: { $0.route.match.covers(route.match) }) {
                    let reason = "the route at line \(first.line) matches all of its requests"
                    setting.reading.report("this route never matches: \(reason)", at: item.position)
                }
                read.append((route, item.position.line))
            }
            configuration.routes = read.map(\.route)
        }
    }
}

extension Route {
    /// The initial value of a route.
    ///
    /// Both parts are required, so that an error was reported if one of these remains, and the route is never returned.
    fileprivate static var blank: Route { Route(match: RouteMatch(), upstreams: [UpstreamAddress(host: "", port: 0)]) }
}

extension Duration {
    static func hours(_ count: Int) -> Duration { .seconds(count * 3600) }
}
