import Flow

/// `streams.client_records`: a rate, or a mapping of a rate, its burst and a quota.
extension Schema {
    static var clientRecords: Key<Route.StreamLimits> {
        Key(
            name: "client_records",
            .either([.mapping(of: clientRecordsKeys), Form.budget.or(Off.words + ["unlimited"]).shape]),
            write: { streams in
                let written = streams.clientRecords.map {
                    WrittenClientRecords(allowance: $0, scope: streams.recordScope)
                }
                return .mapping(of: written, orOffBy: clientRecordsKeys)
            }
        ) { setting, streams in
            guard setting.isMapping else {
                let form = Form.budget.or(Off.words + ["unlimited"])
                guard let rate = setting.value(form, or: Setting.mapping(of: clientRecordsKeys)) else { return }
                streams.clientRecords = rate.map { RecordAllowance(rate: $0) }
                return checkShared(streams, in: setting)
            }
            // A tier counts where its route does, unless it says otherwise.
            var written = WrittenClientRecords(scope: streams.recordScope)
            setting.read(clientRecordsKeys, into: &written)
            if setting["rate"] == nil, let burst = setting["burst"] {
                burst.report("has no effect here; allowed: with `rate`")
            }
            if setting["rate"] == nil, setting["quota"] == nil {
                setting.report("is \(setting.description) without a limit; allowed: with `rate`, `quota`, or both")
            }
            (streams.clientRecords, streams.recordScope) = (written.allowance, written.scope)
            checkShared(streams, in: setting)
        }
    }

    /// Reports what cannot count over all replicas: a share of the rate is leased, and nothing else is shared.
    private static func checkShared(_ streams: Route.StreamLimits, in setting: Setting) {
        guard streams.recordScope == .replicas else { return }
        for name in ["burst", "quota"] {
            setting[name]?.report("cannot count over all replicas; allowed: with `scope: local`")
        }
        guard let rate = streams.clientRecords?.rate, let slowest = Rate(1, per: .hour), rate < slowest else { return }
        let written = setting["rate"] ?? setting
        written.report("is \(written.description); allowed: at least `1/hour` with `scope: replicas`")
    }

    struct WrittenClientRecords {
        var allowance = RecordAllowance()
        var scope = Route.Scope.local
    }

    static var clientRecordsKeys: [Key<WrittenClientRecords>] {
        [
            Key("rate", .budget, \.allowance.rate),
            Key("burst", .integer(1...999_999_999), \.allowance.burst),
            Key(
                name: "quota", .mapping(of: quotaKeys),
                write: { written in
                    written.allowance.quota.map {
                        .mapping(of: WrittenQuota(records: $0.records, window: $0.window), by: quotaKeys)
                    }
                }
            ) { setting, written in
                var quota = WrittenQuota()
                setting.read(quotaKeys, into: &quota)
                if let records = quota.records, let window = quota.window {
                    written.allowance.quota = RecordQuota(records: records, per: window)
                }
            },
            Key("scope", .word(), \.scope),
        ]
    }

    /// The keys of a quota, both of which are required.
    struct WrittenQuota {
        var records: Int?
        var window: Rate.Unit?
    }

    static var quotaKeys: [Key<WrittenQuota>] {
        [Key("records", .integer(1...999_999_999_999), \.records).required, Key("per", .word(), \.window).required]
    }
}
