/// A client's record rate that counts over all replicas.
package struct SharedRate: Equatable, Sendable {
    package let key: StoreKey
    package let rate: Rate
    /// The rate in millionths of a record per second, rounded down; at least 1.
    let limit: Int64

    package init(key: StoreKey, rate: Rate) {
        (self.key, self.rate) = (key, rate)
        // At most 999,999,999 with 6 decimals in a second: 1e15.
        limit = max(1, Int64(Self.scale * rate.recordsPerSecond))
    }

    private static let scale = 1e6
}
