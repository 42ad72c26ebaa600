import Flow
import RawStructuredFieldValues

/// The `RateLimit-Policy` and `RateLimit` fields of a stream (draft-ietf-httpapi-ratelimit-headers-10), as structured fields
/// (RFC 9651).
///
/// Five quotas, each only if there is a limit: `records`, the granted pace as whole records in whole seconds;
/// `client-records`, the burst that all streams of this client share, and the seconds in which it is available again;
/// `client-quota`, the records of its window; `starts`, the number of streams that this client may start, and the seconds;
/// `streams`, the number that it may have open. A quota without a unit (`qu`) counts requests, as starts do. The draft has
/// no unit for records, so they have their own, `records` or, if they have weights, `units`: a client that does not know it must
/// not count records as requests.
struct RateLimitFields: Equatable {
    var policy: String
    var state: String

    /// - Parameters:
    ///   - terms: The terms of the stream.
    ///   - limits: The route's limits on clients.
    ///   - quotas: The client's remaining quotas under these limits.
    ///   - unit: What the pace and the budgets count.
    init?(terms: Terms, limits: Admission.Limits, quotas: ClientQuotas, unit: String = "records") {
        var policies: [Item] = []
        var states: [Item] = []
        if case .limited(let rate) = terms.pace {
            let (records, seconds) = rate.quota
            policies.append(
                Self.item("records", ["q": .integer(records), "w": .integer(seconds), "qu": .string(unit)]))
            states.append(Self.item("records", ["r": .integer(records), "t": .integer(seconds)]))
        }
        if let rate = quotas.records.rate { Self.add("client-records", rate, unit, to: &policies, and: &states) }
        if let quota = quotas.records.quota { Self.add("client-quota", quota, unit, to: &policies, and: &states) }
        if let starts = limits.starts, let quota = quotas.starts {
            let seconds = starts.refillTime.retryAfterSeconds
            policies.append(Self.item("starts", ["q": .integer(Int64(starts.burst)), "w": .integer(Int64(seconds))]))
            states.append(
                Self.item(
                    "starts", ["r": .integer(Int64(quota.remaining)), "t": .integer(Int64(quota.resetSeconds))]))
        }
        if let streams = limits.perClient, let left = quotas.streams {
            policies.append(
                Self.item("streams", ["q": .integer(Int64(streams)), "qu": .string("concurrent-requests")]))
            states.append(Self.item("streams", ["r": .integer(Int64(left))]))
        }
        guard !policies.isEmpty, let policy = Self.text(policies), let state = Self.text(states) else { return nil }
        self.policy = policy
        self.state = state
    }

    private static func add(
        _ name: String, _ part: RecordQuotas.Part, _ unit: String, to policies: inout [Item], and states: inout [Item]
    ) {
        policies.append(
            item(name, ["q": .integer(part.limit), "w": .integer(Int64(part.seconds)), "qu": .string(unit)]))
        states.append(item(name, ["r": .integer(part.remaining), "t": .integer(Int64(part.resetSeconds))]))
    }

    private static func item(_ name: String, _ parameters: KeyValuePairs<String, RFC9651BareItem>) -> Item {
        var ordered = OrderedMap<String, RFC9651BareItem>()
        for (key, value) in parameters { ordered[key] = value }
        return Item(bareItem: .string(name), parameters: ordered)
    }

    private static func text(_ items: [Item]) -> String? {
        var serializer = StructuredFieldValueSerializer()
        guard let bytes = try? serializer.writeListFieldValue(items.map { .item($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
