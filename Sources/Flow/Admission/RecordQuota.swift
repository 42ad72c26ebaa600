/// A number of records that may be sent in each window of time, at any pace.
package struct RecordQuota: Equatable, Sendable {
    package let records: Int
    package let window: Rate.Unit

    /// A quota of at least one record.
    package init(records: Int, per window: Rate.Unit) {
        precondition(records >= 1, "a quota below 1 would send nothing")
        (self.records, self.window) = (records, window)
    }

    /// Such as `100000/day`.
    package var text: String { "\(records)/\(window.rawValue)" }

    /// The length of the window in nanoseconds.
    var length: Int64 { window.seconds * 1_000_000_000 }
}
