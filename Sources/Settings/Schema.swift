import Flow

/// The keys of `proxy.conf`, mapping by mapping: what each one takes, and where it goes.
///
/// Every form and every range stands here (and in `Schema+Route.swift`), every default in `Configuration` and `Route`.
/// `proxy.conf.example` explains all of it; a test compares them.
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
            Key("shutdown_grace", .duration(.zero ... .hours(24)), \.shutdownGrace),
            Key("limits", limits, \.limits),
            Key("paths", paths, \.paths),
            tls,
            Key("http2", orOff: http2Keys, \.http2, from: Configuration.HTTP2()),
            routes.required,
        ]
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
        // Each may hold a window of a request's body, and a batch of a response.
        [Key("max_concurrent_streams", .integer(1...10000), \.maxConcurrentStreams)]
    }

    /// Reports routes below a path that weir answers itself, and two such paths that meet, once everything else is right.
    static func checkPaths(of configuration: Configuration, in place: Place) {
        guard place.reading.errors.isEmpty, let items = place["routes"]?.items else { return }
        let paths = configuration.paths
        for (name, path) in [("streams", paths.streams), ("health", paths.health)] {
            guard let path else { continue }
            for (route, item) in zip(configuration.routes, items) where Route.Match(path: path).covers(route.match) {
                let reason = "weir itself answers below `paths.\(name)`, which is \(quoted(path))"
                place.reading.report("this route never matches: \(reason)", at: item.position)
            }
        }
        guard let streams = paths.streams, let health = paths.health, let written = place["paths"],
            Route.Match(path: health).covers(Route.Match(path: streams))
        else { return }
        let reason = "`paths.streams`, which is \(quoted(streams)), is below `paths.health`"
        place.reading.report("\(reason): no stream could be asked for", at: written.position)
    }

    /// Of connections and streams: more than one machine carries, so that only slips are refused.
    static let count = 1...1_000_000

    private static var listen: Key<Configuration> {
        Key(name: "listen") { place, configuration in
            guard let addresses = place.values(.listenAddress) else { return }
            guard !addresses.isEmpty else {
                return place.report("is an empty list; allowed: \(Form.listenAddress.allowed)")
            }
            var seen: Set<ListenAddress> = []
            for (address, item) in zip(addresses, place.items) where address.isExclusive {
                // SO_REUSEPORT would let the second listener take half of the first one's connections.
                if !seen.insert(address).inserted { item.report("is \(item.description): it stands here twice") }
            }
            configuration.listen = addresses
        }
    }

    /// Reports an admin listener at an address where clients connect, or where anybody may come, once all the addresses are
    /// right.
    static func checkListeners(of configuration: Configuration, in place: Place) {
        guard place.reading.errors.isEmpty, let admin = configuration.admin else { return }
        let written = place["admin"] ?? place["listen"] ?? place
        if admin.isExclusive, configuration.listen.contains(admin) {
            written.report("is \(written.description): `admin` and `listen` meet; allowed: an address for each")
        }
        if !admin.isLocal, configuration.adminToken == nil {
            let reason = "others than this machine reach it, and `admin_token` does not say who may"
            written.report("is \(written.description): \(reason); allowed: a loopback address, or `unix:` and a path")
        }
    }

    private static var trustedProxies: Key<Configuration> {
        Key(name: "trusted_proxies") { place, configuration in
            guard !place.isOff else { return configuration.trustedProxies = [] }
            if let blocks = place.values(.addressBlock) { configuration.trustedProxies = blocks }
        }
    }

    /// The keys of `access_log`, where either the whole or its path may be off.
    struct AccessLogKeys {
        var destination: Configuration.AccessLog.Destination? = .standardOutput
        var written = Configuration.AccessLog()
    }

    static var accessLogKeys: [Key<AccessLogKeys>] {
        [
            Key("path", orOff: .logDestination, \.destination),
            Key("format", .word(), \.written.format),
            Key("start", .flag, \.written.tellsStarts),
            Key("every", orOff: .duration(.seconds(1) ... .hours(24)), \.written.progressInterval),
        ]
    }

    private static var accessLog: Key<Configuration> {
        Key(name: "access_log") { place, configuration in
            guard !place.isOff else { return configuration.accessLog = nil }
            var keys = AccessLogKeys()
            place.read(accessLogKeys, into: &keys, or: Off.allowed)
            configuration.accessLog = keys.destination.map { destination in
                keys.written.destination = destination
                return keys.written
            }
            guard keys.written.format == .combined else { return }
            for name in ["start", "every"] where place[name]?.isOff == false {
                place[name]?.report("means nothing here; allowed: beside `format: json`, or `off`")
            }
        }
    }

    private static var routes: Key<Configuration> {
        Key(name: "routes") { place, configuration in
            guard place.isList, !place.items.isEmpty else {
                return place.report("is \(place.description); allowed: a list of one route or more")
            }
            var read: [(route: Route, line: Int)] = []
            for item in place.items {
                let errors = place.reading.errors.count
                var route = Route.blank
                item.read(Schema.route, into: &route)
                // What a route with an error in it would have matched is not known.
                guard errors == place.reading.errors.count else { continue }
                checkUse(of: route, in: item)
                if let first = read.first(where: { $0.route.match.covers(route.match) }) {
                    let reason = "the one at line \(first.line) takes every request of it"
                    place.reading.report("this route never matches: \(reason)", at: item.position)
                }
                read.append((route, item.position.line))
            }
            configuration.routes = read.map(\.route)
        }
    }
}

extension Route {
    /// Where reading a route begins.
    ///
    /// Both parts are required, so that a route which keeps one of these has been reported, and is never handed out.
    fileprivate static var blank: Route { Route(match: Match(), upstreams: [UpstreamAddress(host: "", port: 0)]) }
}

extension Duration {
    static func hours(_ count: Int) -> Duration { .seconds(count * 3600) }
}
