extension Rate {
    /// One record per `delay`; never faster than that.
    ///
    /// Exact if some unit has it with six decimals: `250ms` is `4/second`, `3ms` is `20000/minute`. Otherwise rounded
    /// down in the shortest unit with at least one record, so that `7ms` is `142.857142/second`.
    ///
    /// - Returns: `nil` for zero, for less than 2 ns, and for more than 292 years.
    package init?(oneEvery delay: Duration) {
        let nanoseconds = delay.nanoseconds
        guard nanoseconds > 1, nanoseconds < .max else { return nil }
        let fitting = [Unit.second, .minute, .hour].filter { $0.seconds * 1_000_000_000 >= nanoseconds }
        let candidates = fitting.isEmpty ? [.hour] : fitting
        let exact = candidates.first { $0.millionths.isMultiple(of: nanoseconds) }
        guard let unit = exact ?? candidates.first else { return nil }
        self.init(millionths: max(1, unit.millionths / nanoseconds), per: unit)
    }
}

extension Rate.Unit {
    /// Nanoseconds of the unit, times a million; at most 3.6e18, below Int64.max.
    fileprivate var millionths: Int64 { seconds * 1_000_000_000 * 1_000_000 }
}
