import Flow

extension Schema {
    static var route: [Key<Route>] {
        [
            match.required,
            upstream.required,
            Key("balance", .word(), \.balance),
            Key("retry", orOff: retryKeys, \.retry, from: Route.Retry()),
            Key("health_check", orOff: healthCheckKeys, \.healthCheck, from: Route.HealthCheck()),
            Key("upstream_tls", upstreamTLSKeys, \.upstreamTLS),
            Key(name: "upstream_http2") { place, route in
                route.upstreamHTTP2 = place.value(.flag) == true ? place.position : nil
            },
            Key("framing", .word(), \.framing),
            types,
            Key("heartbeat", orOff: .duration(.milliseconds(100) ... .hours(1)), \.heartbeat),
            rate,
            buffer,
            Key("negotiation", .word(), \.policy.strictness),
            Key("over_limit", .word(), \.policy.overLimit),
            clientKey,
            streams,
            Key("upstream_streams", orOff: .integer(count), \.upstreamStreams),
            Key("upstream_receive_buffer", orOff: .size(.kibibytes(1) ... .mebibytes(64)), \.upstreamReceiveBuffer),
            Key("timeouts", timeouts, \.timeouts),
            Key("max_body_bytes", orOff: .size(ByteCount(1) ... .gibibytes(1024)), \.maximumBodyBytes),
            Key("total_items_header", orOff: .headerName, \.totalItemsHeader),
            Key("forward_stream_headers", .flag, \.forwardStreamHeaders),
            Key("strip_prefix", .flag, \.stripPrefix),
            Key("host", .hostHeader, \.host),
        ] + overload
    }

    static var timeouts: [Key<Route.Timeouts>] {
        [
            Key("connect", .duration(.milliseconds(1) ... .hours(1)), \.connect),
            Key("first_byte", orOff: .duration(.milliseconds(1) ... .hours(24)), \.firstByte),
            Key("idle", orOff: .duration(.milliseconds(1) ... .hours(24)), \.idle),
            Key("pause", orOff: .duration(.milliseconds(1) ... .hours(24)), \.pause),
            Key("total", orOff: .duration(.milliseconds(1) ... .hours(720)), \.total),
            Key("body", orOff: .duration(.milliseconds(1) ... .hours(24)), \.body),
        ]
    }
}

// MARK: - Where a route's requests come from and go to

extension Schema {
    static var matchKeys: [Key<Route.Match>] {
        [
            Key("path", .routePath, \.path),
            Key("host", .host, \.host),
            Key("methods", listOf: .method, \.methods),
        ]
    }

    private static var match: Key<Route> {
        Key(name: "match") { place, route in
            if place.isMapping {
                place.read(matchKeys, into: &route.match)
            } else if let path = place.value(.routePath, or: Place.mapping(of: matchKeys)) {
                route.match.path = path
            }
        }
    }

    private static var upstream: Key<Route> {
        Key(name: "upstream") { place, route in
            guard let addresses = place.values(.upstreamAddress) else { return }
            guard !addresses.isEmpty else {
                return place.report("is an empty list; allowed: \(Form.upstreamAddress.allowed)")
            }
            var seen: Set<UpstreamAddress> = []
            for (address, item) in zip(addresses, place.items) where !seen.insert(address).inserted {
                item.report("is \(item.description): it stands here twice")
            }
            route.upstreams = addresses
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
        Key(name: "types") { place, route in
            place.read(typesKeys, into: &route.types)
            let types = route.types.ndjson + route.types.sse + route.types.jsonSequence
            let items = typesKeys.compactMap { place[$0.name] }.flatMap(\.items)
            // Where one was malformed they do not match, and that is reported already.
            guard types.count == items.count else { return }
            var seen: Set<String> = []
            for (type, item) in zip(types, items) where !seen.insert(type).inserted {
                item.report("is \(item.description): it is listed twice")
            }
        }
    }

    static var upstreamTLSKeys: [Key<Route.UpstreamTLS>] {
        [
            Key(name: "ca_file") { place, tls in tls.authority = writtenPath(in: place, orOff: true) },
            Key("insecure", .flag, \.isInsecure),
            Key("server_name", orOff: .host, \.serverName),
        ]
    }

    static var clientKeyKeys: [Key<Route.ClientKey>] {
        [
            Key(name: "header") { place, key in
                if let name = place.value(.headerName) { key = .header(name) }
            },
            Key(name: "address") { place, key in
                var prefix = Route.ClientKey.standardIPv6Prefix
                place.read(addressKeys, into: &prefix)
                key = .address(ipv6Prefix: prefix)
            },
        ]
    }

    static var addressKeys: [Key<Int>] { [Key("ipv6_prefix", .integer(1...128), \.self)] }

    private static var clientKey: Key<Route> {
        Key(name: "client_key") { place, route in
            if place.isMapping {
                place.read(clientKeyKeys, into: &route.clientKey)
                guard (place["header"] == nil) == (place["address"] == nil) else { return }
                place.report("is \(place.description); allowed: a mapping of either `header` or `address`")
            } else if let key = place.value(.clientKeyWord, or: Place.mapping(of: clientKeyKeys)) {
                route.clientKey = key
            }
        }
    }
}

// MARK: - What a route grants

extension Schema {
    /// The keys of `rate` and `buffer`: a pair of which either may be left out, and parts of the policy beside it.
    struct BoundsKeys<Value: Comparable> {
        var standard: Value?
        var maximum: Value?
        var policy: Policy

        /// Reports a default above its maximum; nothing else can be wrong with the pair.
        func check(in place: Place) {
            guard let standard, let maximum, standard > maximum, let written = place["default"],
                let limit = place["max"]
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

    private static var rate: Key<Route> {
        Key(name: "rate") { place, route in
            var keys = BoundsKeys<Pace>(policy: route.policy)
            if place.isMapping {
                place.read(rateKeys, into: &keys)
                keys.check(in: place)
            } else {
                keys.maximum = place.value(.pace, or: Place.mapping(of: rateKeys))
            }
            route.policy = keys.policy
            route.policy.maximumPace = keys.maximum ?? .unlimited
            route.policy.defaultPace = keys.standard ?? route.policy.maximumPace
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

    /// One of the pair that is written alone moves the other where that would contradict it.
    private static var buffer: Key<Route> {
        Key(name: "buffer") { place, route in
            var keys = BoundsKeys<Int>(policy: route.policy)
            place.read(bufferKeys, into: &keys)
            keys.check(in: place)
            let usual = route.policy
            route.policy = keys.policy
            route.policy.maximumBuffer = keys.maximum ?? max(usual.maximumBuffer, keys.standard ?? 0)
            route.policy.defaultBuffer = keys.standard ?? min(usual.defaultBuffer, route.policy.maximumBuffer)
        }
    }

    static var streamsKeys: [Key<Route.StreamLimits>] {
        [
            Key("per_client", orOff: .integer(count), \.perClient),
            Key("per_route", orOff: .integer(count), \.perRoute),
            Key("starts", .rate, or: Off.words + ["unlimited"], \.starts),
            Key("starts_burst", .integer(count), \.startsBurst),
            Key("client_records", .rate, or: Off.words + ["unlimited"], \.clientRecords),
            Key("dry_run", .flag, \.isDryRun),
        ]
    }

    private static var streams: Key<Route> {
        Key(name: "streams") { place, route in
            guard !place.isOff else { return }
            place.read(streamsKeys, into: &route.streams, or: Off.allowed)
            if place["starts"] == nil, let burst = place["starts_burst"] {
                burst.report("means nothing here; allowed: beside `starts`")
            }
        }
    }
}
