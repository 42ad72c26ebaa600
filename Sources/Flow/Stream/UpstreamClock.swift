/// What the deadlines of the upstream are counted from.
///
/// None of them runs while the upstream waits for more of the request.
struct UpstreamClock: Sendable {
    /// When the upstream had all it needs to begin its response.
    private var requestSent: Instant
    private var lastHeard: Instant
    /// Whether the upstream waits for more of the request.
    private var isOwedRequest = false

    init(at now: Instant) { (requestSent, lastHeard) = (now, now) }

    /// It took a part of the request's body, or its end.
    mutating func requestTaken(at now: Instant) {
        self = UpstreamClock(at: now)
    }

    /// It would take more of the request's body than has arrived.
    mutating func requestAwaited() { isOwedRequest = true }

    /// It sent something, or may send again.
    mutating func heard(at now: Instant) { lastHeard = now }

    /// The begin of its time for the head; `nil` while it is owed the request.
    var headAwaitedSince: Instant? { isOwedRequest ? nil : requestSent }

    /// The begin of its time for the next bytes; `nil` while it is owed the request.
    var bytesAwaitedSince: Instant? { isOwedRequest ? nil : lastHeard }
}
