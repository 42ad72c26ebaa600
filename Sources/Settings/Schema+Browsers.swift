import Flow
import HTTPText

// The keys of a route for browsers, and for fields of requests and responses.

extension Schema {
    /// The keys of `cors`.
    struct CrossOriginKeys {
        var origins: [Origin] = []
        var policy = CrossOriginPolicy()

        init() {}

        /// The keys that give this policy.
        init(_ policy: CrossOriginPolicy) {
            origins = (policy.allowsAnyOrigin ? [.any] : []) + policy.origins.map { .page($0) }
            self.policy = policy
        }

        enum Origin: Equatable {
            case any
            case page(String)

            /// The origin; `nil` for every one.
            var name: String? { if case .page(let origin) = self { origin } else { nil } }
        }
    }

    static var corsKeys: [Key<CrossOriginKeys>] {
        [
            Key("origins", listOf: .origin, \.origins).required,
            Key("credentials", .flag, \.policy.allowsCredentials),
            Key("headers", listOf: .headerName, \.policy.headers),
            Key("expose", listOf: .headerName, \.policy.exposed),
            Key("max_age", .duration(.zero ... .hours(24)), \.policy.maximumAge),
        ]
    }

    static var cors: Key<Route> {
        Key(
            name: "cors", .mapping(of: corsKeys).orOff,
            write: { .mapping(of: $0.cors.map(CrossOriginKeys.init), orOffBy: corsKeys) }
        ) { setting, route in
            guard !setting.isOff else { return route.cors = nil }
            var keys = CrossOriginKeys()
            let errors = setting.reading.errors.count
            setting.read(corsKeys, into: &keys, or: Off.allowed)
            guard errors == setting.reading.errors.count else { return }
            keys.policy.allowsAnyOrigin = keys.origins.contains(.any)
            keys.policy.origins = keys.origins.compactMap(\.name)
            if keys.policy.allowsAnyOrigin, keys.policy.allowsCredentials {
                setting["credentials"]?.report("is `true`: browsers reject it with `*`; allowed: with origins by name")
            }
            route.cors = keys.policy
        }
    }

    static var headersKeys: [Key<Route.Headers>] {
        [Key("request", headerRulesKeys, \.request), Key("response", headerRulesKeys, \.response)]
    }

    /// The fields of a mapping of names to values; `nil` if it is none.
    static func fields(in setting: Setting) -> [HeaderRules.Field]? {
        guard let entries = setting.entries else {
            setting.report("is \(setting.description); allowed: a mapping of field names to values")
            return nil
        }
        return entries.compactMap { name, value in
            let name = name.value(.ownHeaderName)
            guard let value = value.value(.headerValue), let name else { return nil }
            return HeaderRules.Field(name: name, value: value)
        }
    }

    static var headerRulesKeys: [Key<HeaderRules>] {
        [
            Key(
                name: "set", .entries(of: Form.headerValue.shape),
                write: { YAMLText.fields($0.set) }
            ) { setting, rules in
                if let fields = fields(in: setting) { rules.set = fields }
            },
            Key("remove", listOf: .ownHeaderName, \.remove),
        ]
    }
}

extension Form where Value == Schema.CrossOriginKeys.Origin {
    /// An origin as browsers serialise it, or every one.
    static var origin: Form {
        Form(
            allowed: "an origin such as `https://app.example`, or `*`", .pattern(#"\*|https?://.+"#),
            text: { $0.name ?? "*" }
        ) { text in
            if text == "*" { return .any }
            for scheme in ["http://", "https://"] where text.hasPrefix(scheme) {
                let rest = text.dropFirst(scheme.count)
                guard Authority(written: rest) != nil else { return nil }
                let standard = scheme == "http://" ? ":80" : ":443"
                let origin = text.lowercased()
                return .page(origin.hasSuffix(standard) ? String(origin.dropLast(standard.count)) : origin)
            }
            return nil
        }
    }
}

extension Form where Value == String {
    /// Fields that frame a message, belong to one connection, or are written by weir from what it knows.
    private static var reserved: Set<String> {
        [
            "connection", "content-length", "expect", "forwarded", "host", "keep-alive", "proxy-connection", "te",
            "trailer", "transfer-encoding", "upgrade", "via", "x-forwarded-for", "x-forwarded-host",
            "x-forwarded-proto",
        ]
    }

    /// The name of a field that weir does not write itself.
    static var ownHeaderName: Form {
        Form(allowed: headerName.allowed) { text throws(Refusal) in
            guard !reserved.contains(text.lowercased()) else {
                let isHost = text.lowercased() == "host"
                throw Refusal(reason: isHost ? "see `host` of the route" : "weir writes this field itself")
            }
            return try headerName.read(text)
        }
    }
}

extension Form where Value == Secret {
    /// A field's value (RFC 9110, section 5.5).
    static var headerValue: Form {
        Form(
            allowed: "a value of printable characters, of at most 8192 bytes",
            secret: { text in
                let isValue = text.utf8.count <= 8192 && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
                return isValue && text.first != " " && text.last != " " ? Secret(text) : nil
            })
    }
}
