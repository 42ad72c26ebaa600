import Flow

/// `streams.client_records`: a rate, or a mapping of a rate, its burst and a quota.
extension Schema {
    static var clientRecords: Key<Route.StreamLimits> {
        Key(name: "client_records") { setting, streams in
            guard setting.isMapping else {
                let form = Form.budget.or(Off.words + ["unlimited"])
                guard let rate = setting.value(form, or: Setting.mapping(of: clientRecordsKeys)) else { return }
                return streams.clientRecords = rate.map { RecordAllowance(rate: $0) }
            }
            var allowance = RecordAllowance()
            setting.read(clientRecordsKeys, into: &allowance)
            if setting["rate"] == nil, let burst = setting["burst"] {
                burst.report("has no effect here; allowed: with `rate`")
            }
            if setting["rate"] == nil, setting["quota"] == nil {
                setting.report("is \(setting.description) without a limit; allowed: with `rate`, `quota`, or both")
            }
            streams.clientRecords = allowance
        }
    }

    static var clientRecordsKeys: [Key<RecordAllowance>] {
        [
            Key("rate", .budget, \.rate),
            Key("burst", .integer(1...999_999_999), \.burst),
            Key(name: "quota") { setting, allowance in
                var quota = WrittenQuota()
                setting.read(quotaKeys, into: &quota)
                if let records = quota.records, let window = quota.window {
                    allowance.quota = RecordQuota(records: records, per: window)
                }
            },
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
