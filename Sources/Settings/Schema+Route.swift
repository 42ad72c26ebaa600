import Flow

extension Schema {
    static var route: [Key<Route>] {
        [
            match.required,
            Key("name", .routeName, \.name),
            upstream.required,
            Key("balance", .word(), \.balance),
            Key("retry", orOff: retryKeys, \.retry, from: Route.Retry()),
            Key("health_check", orOff: healthCheckKeys, \.healthCheck, from: Route.HealthCheck()),
            Key("upstream_tls", upstreamTLSKeys, \.upstreamTLS).written { route in
                route.upstreams.contains { $0.scheme == .https }
            },
            upstreamHTTP2,
            Key("framing", .word(), \.framing),
            types.written { $0.framing == .auto },
            endRecord.written { $0.framing != .none },
            Key("weight", orOff: weightKeys, \.weight, from: Route.Weight(pointer: ""))
                .written { $0.framing != .none },
            Key("heartbeat", orOff: .duration(.milliseconds(100) ... .hours(1)), \.heartbeat)
                .written { ![.jsonSequence, .none].contains($0.framing) },
            rate(\.policy),
            pace.written { $0.framing != .none },
            buffer(\.policy),
            Key("negotiation", .word(), \.policy.strictness),
            Key("over_limit", .word(), \.policy.overLimit),
            clientKey,
            streams,
            clientTier,
            tiers,
            Key("upstream_streams", orOff: .integer(count), \.upstreamStreams),
            Key("upstream_receive_buffer", orOff: .size(.kibibytes(1) ... .mebibytes(64)), \.upstreamReceiveBuffer),
            Key("timeouts", timeouts, \.timeouts),
            Key("max_body_bytes", orOff: .size(ByteCount(1) ... .gibibytes(1024)), \.maximumBodyBytes),
            Key("total_items_header", orOff: .headerName, \.totalItemsHeader),
            Key("forward_stream_headers", .flag, \.forwardStreamHeaders),
            Key("strip_prefix", .flag, \.stripPrefix),
            Key("host", .hostHeader, \.host),
            cors,
            Key("headers", headersKeys, \.headers),
        ] + overload + sharing
    }

    static var timeouts: [Key<Route.Timeouts>] {
        [
            Key("connect", .duration(.milliseconds(1) ... .hours(1)), \.connect),
            Key("first_byte", orOff: .duration(.milliseconds(1) ... .hours(24)), \.firstByte),
            Key("first_record", orOff: .duration(.milliseconds(1) ... .hours(24)), \.firstRecord)
                .written { $0.firstRecord != nil },
            Key("between_records", orOff: .duration(.milliseconds(1) ... .hours(24)), \.betweenRecords)
                .written { $0.betweenRecords != nil },
            Key("idle", orOff: .duration(.milliseconds(1) ... .hours(24)), \.idle),
            Key("pause", orOff: .duration(.milliseconds(1) ... .hours(24)), \.pause),
            Key("total", orOff: .duration(.milliseconds(1) ... .hours(720)), \.total),
            Key("body", orOff: .duration(.milliseconds(1) ... .hours(24)), \.body),
        ]
    }
}

// MARK: - A route's requests and upstreams

extension Schema {
    static var matchKeys: [Key<RouteMatch>] {
        [
            Key("path", .routePath, \.path),
            Key("host", .host, \.host),
            Key("methods", listOf: .method, \.methods),
            conditions("query", of: .parameterName, \.query) { $0 },
            // A field may have a secret, such as an API key.
            conditions("headers", of: .headerName, \.headers) { _ in Secret.placeholder },
        ]
    }

    /// A mapping of names to the values that they must have; `text` is what is written of a value.
    private static func conditions(
        _ key: String, of form: Form<String>, _ property: WritableKeyPath<RouteMatch, [RouteMatch.Condition]>,
        text: @escaping (String) -> String
    ) -> Key<RouteMatch> {
        Key(
            name: key, .entries(of: Form.parameterValue.shape),
            write: { match in
                YAMLText.mapping(match[keyPath: property].map { ($0.name, .scalar(text($0.value))) }).unlessEmpty
            }
        ) { setting, match in
            guard let entries = setting.entries else {
                return setting.report("is \(setting.description); allowed: a mapping of names to values")
            }
            for (name, value) in entries {
                guard let name = name.value(form), let value = value.value(.parameterValue) else { continue }
                match[keyPath: property].append(RouteMatch.Condition(name: name, value: value))
            }
        }
    }

    private static var match: Key<Route> {
        Key(
            name: "match", .either([.mapping(of: matchKeys), Form.routePath.shape]),
            write: { .mapping(of: $0.match, by: matchKeys) }
        ) { setting, route in
            if setting.isMapping {
                setting.read(matchKeys, into: &route.match)
            } else if let path = setting.value(.routePath, or: Setting.mapping(of: matchKeys)) {
                route.match.path = path
            }
        }
    }

    private static var upstream: Key<Route> {
        Key(
            name: "upstream", .list(of: Form.upstreamAddress.shape),
            write: { .list($0.upstreams.map(Form.upstreamAddress.text)) }
        ) { setting, route in
            guard let addresses = setting.values(.upstreamAddress) else { return }
            guard !addresses.isEmpty else {
                return setting.report("is an empty list; allowed: \(Form.upstreamAddress.allowed)")
            }
            var seen: Set<UpstreamAddress> = []
            for (address, item) in zip(addresses, setting.items) where !seen.insert(address).inserted {
                item.report("is \(item.description): it is listed twice")
            }
            route.upstreams = addresses
        }
    }

    private static var upstreamHTTP2: Key<Route> {
        Key(
            name: "upstream_http2", Form.flag.shape, write: { .scalar(Form.flag.text($0.upstreamHTTP2 != nil)) }
        ) { setting, route in
            route.upstreamHTTP2 = setting.value(.flag) == true ? setting.position : nil
        }
    }

    static var retryKeys: [Key<Route.Retry>] { [Key("attempts", .integer(1...10), \.attempts)] }

    static var healthCheckKeys: [Key<Route.HealthCheck>] {
        [
            Key("path", .routePath, \.path).required,
            Key("interval", .duration(.milliseconds(100) ... .hours(1)), \.interval),
            Key("timeout", .duration(.milliseconds(1) ... .hours(1)), \.timeout),
            Key("rise", .integer(1...1000), \.rise),
            Key("fall", .integer(1...1000), \.fall),
        ]
    }

    static var typesKeys: [Key<StreamTypes>] {
        [
            Key("ndjson", listOf: .mediaType, \.ndjson),
            Key("sse", listOf: .mediaType, \.sse),
            Key("json-seq", listOf: .mediaType, \.jsonSequence),
        ]
    }

    private static var types: Key<Route> {
        Key(
            name: "types", .mapping(of: typesKeys), write: { .mapping(of: $0.types, by: typesKeys).unlessEmpty }
        ) { setting, route in
            setting.read(typesKeys, into: &route.types)
            let types = route.types.ndjson + route.types.sse + route.types.jsonSequence
            let items = typesKeys.compactMap { setting[$0.name] }.flatMap(\.items)
            // If one was malformed the counts differ, and the error was reported already.
            guard types.count == items.count else { return }
            var seen: Set<String> = []
            for (type, item) in zip(types, items) where !seen.insert(type).inserted {
                item.report("is \(item.description): it is listed twice")
            }
        }
    }

    static var upstreamTLSKeys: [Key<Route.UpstreamTLS>] {
        [
            Key(fileOrOff: "ca_file", \.authority),
            Key("insecure", .flag, \.isInsecure),
            Key("server_name", orOff: .host, \.serverName),
        ]
    }

    static var clientKeyKeys: [Key<Route.ClientKey>] {
        [
            Key(
                name: "header", Form.headerName.shape,
                write: { if case .header(let name) = $0 { .scalar(name) } else { nil } }
            ) { setting, key in
                if let name = setting.value(.headerName) { key = .header(name) }
            },
            Key(
                name: "address", .mapping(of: addressKeys),
                write: { if case .address(let prefix) = $0 { .mapping(of: prefix, by: addressKeys) } else { nil } }
            ) { setting, key in
                var prefix = Route.ClientKey.standardIPv6Prefix
                setting.read(addressKeys, into: &prefix)
                key = .address(ipv6Prefix: prefix)
            },
        ]
    }

    static var addressKeys: [Key<Int>] { [Key("ipv6_prefix", .integer(1...128), \.self)] }

    private static var clientKey: Key<Route> {
        Key(
            name: "client_key", .either([Form.clientKeyWord.shape, .mapping(of: clientKeyKeys)]),
            write: { route in
                route.clientKey == .certificate
                    ? .scalar(Form.clientKeyWord.text(.certificate)) : .mapping(of: route.clientKey, by: clientKeyKeys)
            }
        ) { setting, route in
            if setting.isMapping {
                setting.read(clientKeyKeys, into: &route.clientKey)
                guard (setting["header"] == nil) == (setting["address"] == nil) else { return }
                setting.report("is \(setting.description); allowed: a mapping of either `header` or `address`")
            } else if let key = setting.value(.clientKeyWord, or: Setting.mapping(of: clientKeyKeys)) {
                route.clientKey = key
            }
        }
    }
}

// MARK: - A route's terms

extension Schema {
    /// The keys of `rate` and `buffer`: an optional default and maximum, and other parts of the policy.
    struct BoundsKeys<Value: Comparable> {
        var standard: Value?
        var maximum: Value?
        var policy: Policy

        /// Reports a default above its maximum, the only possible error of the pair.
        func check(in setting: Setting) {
            guard let standard, let maximum, standard > maximum, let written = setting["default"],
                let limit = setting["max"]
            else { return }
            written.report("is \(written.description); allowed: at most `max`, which is \(limit.description)")
        }
    }

    static var rateKeys: [Key<BoundsKeys<Pace>>] {
        [
            Key("default", .pace, \.standard),
            Key("max", .pace, \.maximum),
            Key("burst", .integer(1...1_000_000), \.policy.burst),
        ]
    }

    /// A default or maximum that is written alone moves the other if they would contradict.
    static func rate<Target>(_ policy: WritableKeyPath<Target, Policy>) -> Key<Target> {
        Key(
            name: "rate", .either([Form.pace.shape, .mapping(of: rateKeys)]),
            write: { target in
                let policy = target[keyPath: policy]
                let keys = BoundsKeys(standard: policy.defaultPace, maximum: policy.maximumPace, policy: policy)
                return .mapping(of: keys, by: rateKeys)
            }
        ) { setting, target in
            let usual = target[keyPath: policy]
            var keys = BoundsKeys<Pace>(policy: usual)
            if setting.isMapping {
                setting.read(rateKeys, into: &keys)
                keys.check(in: setting)
            } else {
                keys.maximum = setting.value(.pace, or: Setting.mapping(of: rateKeys))
                keys.standard = keys.maximum
            }
            keys.policy.maximumPace = keys.maximum ?? max(usual.maximumPace, keys.standard ?? usual.maximumPace)
            keys.policy.defaultPace = keys.standard ?? min(usual.defaultPace, keys.policy.maximumPace)
            target[keyPath: policy] = keys.policy
        }
    }

    /// The keys of `pace`: whether bursts are spread, and how long a record waits at most.
    struct PaceKeys {
        var isSmooth = false
        var maximumDelay = Duration.milliseconds(400)
    }

    static var paceKeys: [Key<PaceKeys>] {
        [
            Key("smooth", .flag, \.isSmooth),
            Key("max_delay", .duration(.milliseconds(1) ... .seconds(60)), \.maximumDelay).written(if: \.isSmooth),
        ]
    }

    private static var pace: Key<Route> {
        Key(
            name: "pace", .mapping(of: paceKeys).orOff,
            write: { route in
                let keys = route.spread.map { PaceKeys(isSmooth: true, maximumDelay: $0) }
                return .mapping(of: keys, orOffBy: paceKeys)
            }
        ) { setting, route in
            guard !setting.isOff else { return }
            var keys = PaceKeys()
            setting.read(paceKeys, into: &keys, or: Off.allowed)
            route.spread = keys.isSmooth ? keys.maximumDelay : nil
            if setting["smooth"]?.isOff ?? true, let delay = setting["max_delay"] {
                delay.report("has no effect here; allowed: with `smooth: true`")
            }
        }
    }

    static var bufferKeys: [Key<BoundsKeys<Int>>] {
        [
            Key("default", .integer(1...999_999_999), \.standard),
            Key("max", .integer(1...999_999_999), \.maximum),
            Key("max_bytes", .size(ByteCount(1) ... .gibibytes(1)), \.policy.maximumBytes),
            Key("max_record_bytes", .size(ByteCount(1) ... .gibibytes(1)), \.policy.maximumRecordBytes),
        ]
    }

    /// A default or maximum that is written alone moves the other if they would contradict.
    static func buffer<Target>(
        _ policy: WritableKeyPath<Target, Policy>, of allowed: [Key<BoundsKeys<Int>>] = bufferKeys
    ) -> Key<Target> {
        Key(
            name: "buffer", .mapping(of: allowed),
            write: { target in
                let policy = target[keyPath: policy]
                let keys = BoundsKeys(standard: policy.defaultBuffer, maximum: policy.maximumBuffer, policy: policy)
                return .mapping(of: keys, by: allowed)
            }
        ) { setting, target in
            let usual = target[keyPath: policy]
            var keys = BoundsKeys<Int>(policy: usual)
            setting.read(allowed, into: &keys)
            keys.check(in: setting)
            keys.policy.maximumBuffer = keys.maximum ?? max(usual.maximumBuffer, keys.standard ?? 0)
            keys.policy.defaultBuffer = keys.standard ?? min(usual.defaultBuffer, keys.policy.maximumBuffer)
            target[keyPath: policy] = keys.policy
        }
    }

    static var streamsKeys: [Key<Route.StreamLimits>] {
        [
            Key("per_client", orOff: .integer(count), \.perClient),
            Key("per_route", orOff: .integer(count), \.perRoute),
            Key("starts", .rate, or: Off.words + ["unlimited"], \.starts),
            Key("starts_burst", .integer(count), \.startsBurst).written { $0.starts != nil },
            clientRecords,
            Key("scope", .word(), \.scope).written(if: \.hasSharedLimits),
            Key("dry_run", .flag, \.isDryRun),
        ]
    }

    private static var streams: Key<Route> {
        Key(
            name: "streams", .mapping(of: streamsKeys).orOff, write: { .mapping(of: $0.streams, by: streamsKeys) }
        ) { setting, route in
            guard !setting.isOff else { return }
            setting.read(streamsKeys, into: &route.streams, or: Off.allowed)
            if setting["starts"] == nil, let burst = setting["starts_burst"] {
                burst.report("has no effect here; allowed: with `starts`")
            }
            if route.streams.scope == .replicas, !route.streams.hasSharedLimits, let scope = setting["scope"] {
                scope.report("has no effect here; allowed: with `per_client`, `per_route` or `starts`")
            }
        }
    }
}
