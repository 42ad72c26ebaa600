/// What the streams of one client may send together: a rate, a quota of each window of time, or both.
package struct RecordAllowance: Equatable, Sendable {
    /// `nil` if only the quota limits.
    package var rate: Rate?
    /// Records that may be sent at once after an idle time; `nil` for those of one second, and at least one.
    package var burst: Int?
    package var quota: RecordQuota?

    package init(rate: Rate? = nil, burst: Int? = nil, quota: RecordQuota? = nil) {
        (self.rate, self.burst, self.quota) = (rate, burst, quota)
    }

    /// Nanoseconds from one record to the next at the rate; zero without one.
    var spacing: Int64 { rate?.spacing ?? 0 }

    /// The time in which the burst is paid for, in nanoseconds.
    var reserve: Int64 {
        let (product, overflow) = spacing.multipliedReportingOverflow(by: Int64(burst ?? 1))
        return overflow ? .max : burst == nil ? max(1_000_000_000, spacing) : max(product, spacing)
    }
}
