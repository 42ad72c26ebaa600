extension StartAllowance {
    /// The time between two starts on the store's clock.
    var storeSpacing: Int64 { StoreTime.microseconds(ofNanoseconds: spacing) }

    /// The maximum distance of a next start from now on the store's clock.
    var storeTolerance: Int64 {
        let (product, overflow) = storeSpacing.multipliedReportingOverflow(by: Int64(burst - 1))
        return overflow ? StoreTime.longest : min(StoreTime.longest, product)
    }

    /// The allowance of one of several replicas that cannot ask the others.
    func divided(by replicas: Int) -> StartAllowance {
        StartAllowance(self, times: replicas, burst: max(1, burst / replicas))
    }
}
