/// The fill level of a stream's queue, in the steps that cause an action.
package enum QueueLevel: Equatable, Sendable, CaseIterable {
    /// At most half full, in records and in bytes: a paused upstream is resumed at this low mark, and no client is slow
    /// below the soft mark, which is the same.
    case low
    case middle
    /// At the high mark: the upstream must pause.
    case full
}
