/// The decision about a start under the limits that hold over all replicas.
package enum SharedVerdict: Equatable, Sendable {
    package enum Basis: Equatable, Sendable {
        /// The store has taken it; the client's remaining quotas over all replicas.
        case byStore(ClientQuotas)
        /// The store is not used: by this replica's part of the limits.
        case alone
    }

    case admitted(Basis)
    /// By the limit with that index. `wait` is exact for a rate of starts, and zero for streams: their ends are not known.
    case refused(limit: Int, wait: Duration)
}
