import Flow

// The keys of a route for its terms: the pace, the queue, and the limits of its streams.

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

    static func rate<Target>(_ policy: WritableKeyPath<Target, Policy>) -> Key<Target> {
        bounds(
            "rate", policy, \.defaultPace, \.maximumPace, rateKeys, or: Form.pace.shape.orOff,
            readBoth: { $0.isOff ? .unlimited : $0.value(.pace, or: Setting.mapping(of: rateKeys)) })
    }

    /// The bounds of a term: a mapping of its keys, or one value for the default and the maximum.
    ///
    /// A default or maximum that is written alone moves the other if they would contradict.
    private static func bounds<Target, Value>(
        _ name: String, _ policy: WritableKeyPath<Target, Policy>, _ standard: WritableKeyPath<Policy, Value>,
        _ maximum: WritableKeyPath<Policy, Value>, _ allowed: [Key<BoundsKeys<Value>>], or both: Shape,
        readBoth: @escaping (Setting) -> Value?
    ) -> Key<Target> {
        Key(
            name: name, .either([both, .mapping(of: allowed)]),
            write: { target in
                let policy = target[keyPath: policy]
                let keys = BoundsKeys(
                    standard: policy[keyPath: standard], maximum: policy[keyPath: maximum], policy: policy)
                return .mapping(of: keys, by: allowed)
            }
        ) { setting, target in
            let usual = target[keyPath: policy]
            var keys = BoundsKeys<Value>(policy: usual)
            if setting.isMapping {
                setting.read(allowed, into: &keys)
                keys.check(in: setting)
            } else {
                keys.standard = readBoth(setting)
                keys.maximum = keys.standard
            }
            let usualMaximum = usual[keyPath: maximum]
            let most = keys.maximum ?? max(usualMaximum, keys.standard ?? usualMaximum)
            keys.policy[keyPath: maximum] = most
            keys.policy[keyPath: standard] = keys.standard ?? min(usual[keyPath: standard], most)
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

    static var pace: Key<Route> {
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

    private static var records: Form<Int> { .integer(1...999_999_999) }

    static var bufferKeys: [Key<BoundsKeys<Int>>] {
        [
            Key("default", records, \.standard),
            Key("max", records, \.maximum),
            Key("max_bytes", .size(ByteCount(1) ... .gibibytes(1)), \.policy.maximumBytes),
            Key("max_record_bytes", .size(ByteCount(1) ... .gibibytes(1)), \.policy.maximumRecordBytes),
        ]
    }

    static func buffer<Target>(
        _ policy: WritableKeyPath<Target, Policy>, of allowed: [Key<BoundsKeys<Int>>] = bufferKeys
    ) -> Key<Target> {
        bounds(
            "buffer", policy, \.defaultBuffer, \.maximumBuffer, allowed, or: records.shape,
            readBoth: { $0.value(records, or: Setting.mapping(of: allowed)) })
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

    static var streams: Key<Route> {
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
