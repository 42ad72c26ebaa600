/// Where a reader begins that comes while a shared stream is running, unless it asks to resume.
package enum Join: String, Equatable, Sendable, CaseIterable {
    /// With the next record.
    case next = "now"
    /// With the last retained record.
    case last
    /// With the oldest retained record.
    case beginning
    /// With the newest retained record of each key, then the next record.
    case keys
}

/// Where a particular reader begins.
package enum JoinPoint: Equatable, Sendable {
    /// As the route says.
    case configured(Join)
    /// With this record, because the reader has all before it (`X-Stream-Resume`).
    case record(Int)
    /// After the event with this id (`Last-Event-ID`; HTML, section 9.2.4).
    case afterEvent(RecordKey)
}

/// The handling of a reader for which records are no longer retained.
package enum Lag: String, Equatable, Sendable, CaseIterable {
    /// It continues with the oldest retained record, and the gap is reported.
    case gap
    /// It cannot happen: the pull waits for the slowest reader, until a ``HoldClock`` ends it.
    case wait
    /// The reader ends as a slow consumer.
    case end
}
