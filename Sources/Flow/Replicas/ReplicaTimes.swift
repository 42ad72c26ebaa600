/// The times by which replicas share limits.
package enum ReplicaTimes {
    /// How long the store keeps a replica's counts after their last write: after a failure its slots are free again.
    package static let timeToLive = Duration.seconds(15)
    /// The time between two writes of a count that has not changed: two of them may be lost.
    package static let rewrite = Duration.seconds(5)
    /// How long a store that has lost its data is not trusted with counts, of streams or of replicas: until every replica
    /// that can reach it has written its own.
    package static let grace = timeToLive
    /// How long the store reserves a share of a rate after a renewal.
    package static let lease = Duration.seconds(1)
    /// How long a replica applies a share, from the sending of the request on: shorter than the lease by more than
    /// clocks deviate in a second.
    package static let leaseInUse = Duration.milliseconds(950)
    /// The time between two renewals of a share: one of them may be lost.
    package static let renewal = Duration.milliseconds(400)
    /// The time from an answer with much less than an equal part of a rate to the next request: others return theirs meanwhile.
    static let earlyRenewal = Duration.milliseconds(100)
    /// The least time between two rounds of writes of changed counts, which are collected meanwhile.
    static let writePause = Duration.milliseconds(5)
    /// How long the end of a stream may wait for another write, while less than half of its limit is used.
    static let longestEnd = Duration.milliseconds(100)
}
