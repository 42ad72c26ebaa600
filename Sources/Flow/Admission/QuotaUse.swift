/// A client's use of a ``RecordQuota``.
///
/// A window begins with the first record after an idle one, not with the calendar's day: replicas and restarts need no
/// common clock, and the clients do not all come back at midnight. Records that are drawn when the window's are used up
/// are those of the next windows, in the order of the draws.
///
/// Invariants (`QuotaUseTests`):
/// 1. Within a window at most the quota is due, minus what was given back.
/// 2. An idle window leaves no state: the next draw begins a new one.
struct QuotaUse: Sendable {
    /// The beginning of the window of the first of the `drawn` records.
    private var beginning = Instant.distantPast
    /// Records since then, with those that are due in later windows.
    private var drawn: Int64 = 0

    /// Draws 1 to `wanted` records, all of one window.
    ///
    /// - Returns: The records, and the beginning of their window.
    mutating func draw(upTo wanted: Int64, of quota: RecordQuota, at now: Instant) -> (records: Int64, from: Instant) {
        roll(quota, at: now)
        if drawn == 0 { beginning = now }
        let begin = windowOfNext(quota)
        let records = max(1, min(wanted, Int64(quota.records) - drawn % Int64(quota.records)))
        drawn += records
        return (records, begin)
    }

    /// Units that were sent without a draw; those beyond the quota are the next windows' ones.
    mutating func charge(_ units: Int, of quota: RecordQuota, at now: Instant) {
        roll(quota, at: now)
        if drawn == 0 { beginning = now }
        // Half the range, so that no draw after it overflows.
        let (sum, overflow) = drawn.addingReportingOverflow(Int64(units))
        drawn = overflow ? .max / 2 : min(sum, .max / 2)
    }

    /// Records that are not sent.
    mutating func giveBack(_ records: Int) { drawn = max(0, drawn - Int64(records)) }

    /// Records of the current window that were not drawn.
    func remaining(of quota: RecordQuota, at now: Instant) -> Int {
        var use = self
        use.roll(quota, at: now)
        return Int(max(0, Int64(quota.records) - use.drawn))
    }

    /// The time until one more record may be drawn and sent; zero if it is now.
    func wait(for quota: RecordQuota, at now: Instant) -> Duration {
        var use = self
        use.roll(quota, at: now)
        return use.drawn == 0 ? .zero : max(.zero, use.windowOfNext(quota) - now)
    }

    /// The time until the window ends; zero if none has begun.
    func reset(of quota: RecordQuota, at now: Instant) -> Duration {
        var use = self
        use.roll(quota, at: now)
        return use.drawn == 0 ? .zero : use.beginning.advanced(byNanoseconds: quota.length) - now
    }

    /// Moves to the window of this time; without records in it there is none.
    private mutating func roll(_ quota: RecordQuota, at now: Instant) {
        guard drawn > 0 else { return }
        let windows = max(0, (now - beginning).nanoseconds / quota.length)
        let (used, overflow) = windows.multipliedReportingOverflow(by: Int64(quota.records))
        drawn = overflow ? 0 : max(0, drawn - used)
        beginning = beginning.advanced(byNanoseconds: windows * quota.length)
    }

    /// The beginning of the window to which the next record belongs.
    private func windowOfNext(_ quota: RecordQuota) -> Instant {
        let (distance, overflow) = (drawn / Int64(quota.records)).multipliedReportingOverflow(by: quota.length)
        return beginning.advanced(byNanoseconds: overflow ? .max : distance)
    }
}
