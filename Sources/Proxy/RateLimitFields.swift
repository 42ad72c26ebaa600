import Flow
import RawStructuredFieldValues

/// The `RateLimit-Policy` and `RateLimit` fields of a stream (draft-ietf-httpapi-ratelimit-headers), as structured fields
/// (RFC 9651).
///
/// Two quotas, each only where it is limited: `records`, the granted pace as whole records in whole seconds; `starts`,
/// how many streams this client may start in how many seconds, and what is left of that.
struct RateLimitFields: Equatable {
    var policy: String
    var state: String

    init?(terms: Terms, starts: StartAllowance?, quota: StartQuota?) {
        var policies: [Item] = []
        var states: [Item] = []
        if case .limited(let rate) = terms.pace {
            let (records, seconds) = rate.quota
            policies.append(Self.item("records", ["q": records, "w": seconds]))
            states.append(Self.item("records", ["r": records, "t": seconds]))
        }
        if let starts, let quota {
            policies.append(
                Self.item("starts", ["q": Int64(starts.burst), "w": Int64(starts.refillTime.retryAfterSeconds)]))
            states.append(Self.item("starts", ["r": Int64(quota.remaining), "t": Int64(quota.resetSeconds)]))
        }
        guard !policies.isEmpty, let policy = Self.text(policies), let state = Self.text(states) else { return nil }
        self.policy = policy
        self.state = state
    }

    private static func item(_ name: String, _ parameters: KeyValuePairs<String, Int64>) -> Item {
        var ordered = OrderedMap<String, RFC9651BareItem>()
        for (key, value) in parameters { ordered[key] = .integer(value) }
        return Item(bareItem: .string(name), parameters: ordered)
    }

    private static func text(_ items: [Item]) -> String? {
        var serializer = StructuredFieldValueSerializer()
        guard let bytes = try? serializer.writeListFieldValue(items.map { .item($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
