package import Flow
package import Observability

/// What the shared limits report of themselves.
package struct ReplicasFigures: Sendable {
    /// The name of this instance at the store.
    package internal(set) var name = ""
    /// Whether the store is used.
    package internal(set) var isUp = false
    /// Whether announcements of the others arrive.
    package internal(set) var isSubscribed = false
    /// The replicas that were counted last, this one included.
    package internal(set) var replicas = 1
    /// Commands with a result.
    package internal(set) var commands = 0
    /// Commands without an answer, by cause.
    package internal(set) var failures = CaseCounts<StoreFailure>()
    /// How often the store went out of use.
    package internal(set) var losses = 0
    /// Records that the store has granted for the time in which no replica had leased a rate.
    package internal(set) var creditedRecords = 0
}
