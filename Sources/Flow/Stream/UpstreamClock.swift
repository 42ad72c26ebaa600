/// What the deadlines of the upstream are counted from.
///
/// None of them runs while the upstream waits for more of the request.
struct UpstreamClock: Sendable {
    /// The state of the clock for records: a head, a comment or a blank line is none.
    private enum Records {
        /// The head has not arrived.
        case unknown
        /// The response is no stream, or nothing is required of its records.
        case unwatched
        case awaitingFirst
        case awaitingNext(since: Instant)
    }

    /// When the upstream had all it needs to begin its response.
    private var requestSent: Instant
    private var lastHeard: Instant
    /// Whether the upstream waits for more of the request.
    private var isOwedRequest = false
    /// Whether the head of the response has arrived.
    private var hasHead = false
    private var records = Records.unknown

    init(at now: Instant) { (requestSent, lastHeard) = (now, now) }

    /// It took a part of the request's body, or its end.
    mutating func requestTaken(at now: Instant) {
        (requestSent, lastHeard, isOwedRequest) = (now, now, false)
    }

    /// It would take more of the request's body than has arrived.
    mutating func requestAwaited() { isOwedRequest = true }

    /// The head of the response arrived; `isWatched` if its records are counted.
    mutating func headArrived(isWatched: Bool, at now: Instant) {
        heard(at: now)
        hasHead = true
        if !isWatched {
            records = .unwatched
        } else if case .unknown = records {
            records = .awaitingFirst
        }
    }

    /// It sent something, or may send again.
    mutating func heard(at now: Instant) { lastHeard = now }

    /// It sent a whole record.
    mutating func recordArrived(at now: Instant) { records = .awaitingNext(since: now) }

    /// It may send again after a pause.
    mutating func resumed(at now: Instant) {
        heard(at: now)
        if case .awaitingNext = records { records = .awaitingNext(since: now) }
    }

    /// The begin of its time for the head; `nil` while it is owed the request, and after the head.
    var headAwaitedSince: Instant? { isOwedRequest || hasHead ? nil : requestSent }

    /// The begin of its time for the first record; `nil` while it is owed the request, and after that record.
    var firstRecordAwaitedSince: Instant? {
        guard !isOwedRequest else { return nil }
        return switch records {
        case .unknown, .awaitingFirst: requestSent
        case .unwatched, .awaitingNext: nil
        }
    }

    /// The begin of its time for the record after the last one; `nil` before the first, and while it is owed the request.
    var nextRecordAwaitedSince: Instant? {
        if case .awaitingNext(let since) = records, !isOwedRequest { since } else { nil }
    }

    /// The begin of its time for the next bytes; `nil` while it is owed the request.
    var bytesAwaitedSince: Instant? { isOwedRequest ? nil : lastHeard }
}
