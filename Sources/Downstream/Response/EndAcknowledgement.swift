import Flow

/// The wait until the client's kernel has acknowledged the end of a response.
///
/// What the socket has taken may never arrive: a client that has lost its network closes no connection, and a short response is
/// all in the kernel by then. The kernel does not report an acknowledgement, so it is asked (`SIOCOUTQ`, tcp(7)): most often
/// at first, when an acknowledgement is due within the round-trip time and 40 ms.
struct EndAcknowledgement {
    private static let shortestInterval = Duration.milliseconds(10)
    private static let longestInterval = Duration.seconds(1)

    /// Bytes of the connection up to the end of the response.
    private let end: Int
    private let time: Duration
    /// When the client counts as gone, if it acknowledges nothing more.
    private var limit: Instant
    private var acknowledged = 0
    private var interval = Self.shortestInterval
    /// Whether the connection has failed: what was not acknowledged by then will not be.
    private(set) var hasFailed = false

    /// - Parameters:
    ///   - end: Bytes that were written on the connection up to the end of the response.
    ///   - time: How long a client may acknowledge nothing.
    ///   - now: The time.
    init(of end: Int, within time: Duration, at now: Instant) {
        (self.end, self.time, limit) = (end, time, now + time)
    }

    /// Whether the end is among the first `bytes` of the connection, which are acknowledged; a client that acknowledges more than
    /// before, however slowly, is not gone.
    mutating func isReached(by bytes: Int, at now: Instant) -> Bool {
        if bytes > acknowledged { (acknowledged, limit) = (bytes, now + time) }
        return bytes >= end
    }

    /// The connection has failed.
    mutating func failed() { hasFailed = true }

    /// When to ask next; `nil` if the time is over, and the client counts as gone.
    mutating func nextLook(at now: Instant) -> Instant? {
        guard now < limit else { return nil }
        defer { interval = min(interval * 2, Self.longestInterval) }
        return min(now + interval, limit)
    }
}
