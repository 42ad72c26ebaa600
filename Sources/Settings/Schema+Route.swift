import Flow

extension Schema {
    static var route: [Key<Route>] {
        [
            match.required,
            Key("name", .routeName, \.name),
            upstream.required,
            Key("balance", .word(), \.balance),
            retry,
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
            upstreamTimeouts,
            Key("max_body_bytes", orOff: .size(ByteCount(1) ... .gibibytes(1024)), \.maximumBodyBytes),
            Key("total_items_header", orOff: .headerName, \.totalItemsHeader),
            Key("forward_stream_headers", .flag, \.forwardStreamHeaders),
            Key("strip_prefix", .flag, \.stripPrefix),
            Key("host", .hostHeader, \.host),
            cors,
            Key("headers", headersKeys, \.headers),
        ] + overload + sharing
    }

    /// A duration alone is the longest time for which nothing comes from the upstream.
    private static var upstreamTimeouts: Key<Route> {
        let form = Form.duration(.milliseconds(1) ... .hours(24))
        return Key(
            name: "timeouts", .either([form.shape, .mapping(of: timeouts)]),
            write: { .mapping(of: $0.timeouts, by: timeouts) }
        ) { setting, route in
            if setting.isMapping {
                setting.read(timeouts, into: &route.timeouts)
            } else if let time = setting.value(form, or: Setting.mapping(of: timeouts)) {
                (route.timeouts.firstByte, route.timeouts.idle) = (time, time)
            }
        }
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

    static var retryKeys: [Key<RetryRules>] {
        [
            Key("attempts", attempts, \.attempts),
            Key("max_body_bytes", orOff: .size(ByteCount(1) ... .gibibytes(1)), \.maximumBodyBytes),
            Key("non_idempotent", .flag, \.repeatsNonIdempotent),
        ]
    }

    private static var attempts: Form<Int> { .integer(1...10) }

    private static var retry: Key<Route> {
        Key(
            name: "retry", .either([attempts.or(Off.words).shape, .mapping(of: retryKeys)]),
            write: { .mapping(of: $0.retry, orOffBy: retryKeys) }
        ) { setting, route in
            var retry = RetryRules()
            if setting.isMapping {
                setting.read(retryKeys, into: &retry)
                route.retry = retry
            } else if let count = setting.value(attempts.or(Off.words), or: Setting.mapping(of: retryKeys)) {
                route.retry = count.map { count in
                    retry.attempts = count
                    return retry
                }
            }
        }
    }

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
            .header({ if case .header(let name) = $0 { name } else { nil } }, Route.ClientKey.header),
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
                setting.requireOne(of: "header", "address")
            } else if let key = setting.value(.clientKeyWord, or: Setting.mapping(of: clientKeyKeys)) {
                route.clientKey = key
            }
        }
    }
}
