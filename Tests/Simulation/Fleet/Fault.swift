/// A fault that the simulation plants around the real machines, to show that its invariants find it.
package enum Fault: String, CaseIterable, Sendable {
    /// A replica does not notice the end of one stream in eight.
    case lostDecrement = "lost-decrement"
    /// The store grants one start in eight without taking it.
    case doubleGrant = "double-grant"
    /// A replica continues with its share after the store has cut it.
    case shareNotLowered = "share-not-lowered"
    /// A replica says that it still holds the share that it has lowered.
    case shareNotReturned = "share-not-returned"
    /// The store keeps one credit in eight that it has granted.
    case creditGrantedTwice = "credit-granted-twice"
    /// The store credits the rate that is leased, too.
    case leasedRateCredited = "leased-rate-credited"
    /// A replica returns credit that it does not have.
    case creditInvented = "credit-invented"
    /// A stream sends records although its budget has none.
    case drawsWithoutLease = "draws-without-lease"
    /// A replica does not notice that a client has no stream any more that draws.
    case lostStreamEnd = "lost-stream-end"
    /// One announcement of an open breaker in eight does not arrive.
    case lostMessage = "lost-message"
    /// A replica does not ask for what was announced while its subscription was interrupted.
    case noRepetition = "no-repetition"
    /// The store's scripts use the time of the replica that calls.
    case clockOfReplica = "clock-of-replica"
    /// A command that comes late overwrites a newer one.
    case lateCommandCounts = "late-command-counts"
    /// An answer that comes after its deadline decides the start a second time.
    case lateAnswerDecides = "late-answer-decides"
    /// The store forgets counts before they are written again.
    case shortTimeToLive = "short-time-to-live"
    /// A share ends in the store before its replica stops applying it.
    case shortLease = "short-lease"
    /// A store that has lost its data is trusted at once.
    case noGrace = "no-grace"
    /// A replica does not notice that the store has lost its data, and trusts its count of the replicas at once.
    case lossNotNoticed = "loss-not-noticed"
    /// A start takes its first limits although a later one refuses it.
    case partialTake = "partial-take"
    /// Without the store, a replica applies the whole limit.
    case wholeLimitAlone = "whole-limit-alone"
    /// A start waits for the store although it is down, for ever.
    case noDeadline = "no-deadline"
}
