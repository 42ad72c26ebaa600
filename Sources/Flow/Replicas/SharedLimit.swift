/// One limit of a start that counts over all replicas.
package enum SharedLimit: Equatable, Sendable {
    /// The rate of starts.
    case starts(StoreKey, StartAllowance)
    /// The open streams.
    case streams(StoreKey, limit: Int)

    package var key: StoreKey {
        switch self {
        case .starts(let key, _), .streams(let key, _): key
        }
    }
}
