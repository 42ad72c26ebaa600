import Flow

/// The wait until the client's kernel has acknowledged the end of a response.
///
/// What the socket has taken may never arrive: a client that has lost its network closes no connection, and a short response is
/// all in the kernel by then. The kernel does not report an acknowledgement, so it is asked (`SIOCOUTQ`, tcp(7)): most often
/// at first, when an acknowledgement is due within the round-trip time and 40 ms.
struct EndAcknowledgement {
    /// How much of the response the client has.
    enum Look: Equatable {
        /// All of it: the response is over.
        case whole
        /// Not the end; look again then.
        case partial(next: Instant)
        /// Not the end, and nothing more for too long: the client counts as gone.
        case gone
    }

    private static let shortestInterval = Duration.milliseconds(10)
    private static let longestInterval = Duration.seconds(1)

    /// Bytes of the connection up to the end of the response.
    private let end: Int
    private let time: Duration
    /// When the client counts as gone, if it acknowledges nothing more.
    private var limit: Instant
    private var acknowledged = 0
    private var interval = Self.shortestInterval

    /// - Parameters:
    ///   - end: Bytes that were written on the connection up to the end of the response.
    ///   - time: How long a client may acknowledge nothing.
    ///   - now: The time.
    init(of end: Int, within time: Duration, at now: Instant) {
        (self.end, self.time, limit) = (end, time, now + time)
    }

    /// Looks how far the client is; one that acknowledges more than before, however slowly, is not gone.
    ///
    /// - Parameters:
    ///   - bytes: Bytes of the connection that are acknowledged.
    ///   - now: The time.
    /// - Returns: What the client has.
    mutating func look(at bytes: Int, _ now: Instant) -> Look {
        if bytes > acknowledged { (acknowledged, limit) = (bytes, now + time) }
        if bytes >= end { return .whole }
        guard now < limit else { return .gone }
        defer { interval = min(interval * 2, Self.longestInterval) }
        return .partial(next: min(now + interval, limit))
    }
}
