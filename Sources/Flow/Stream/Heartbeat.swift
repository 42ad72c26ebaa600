/// Decides when a stream is quiet for so long that a sign of life is due.
///
/// It is told what leaves and asked by a timer, which is not moved with each record: one that fires early sets itself anew.
package struct Heartbeat: Equatable, Sendable {
    /// A comment, which readers of events pass over, and its empty line, so that nothing stays open behind it.
    package static let comment: StaticString = ":\n\n"

    private let interval: Duration
    private var lastLeft: Instant
    /// Signs of life left while nothing else had, so that a byte order mark that now came would not be the first thing.
    private var isAheadOfBody = false
    private var hasBegun = false

    package init(every interval: Duration, at now: Instant) {
        self.interval = interval
        lastLeft = now
    }

    /// When the timer should fire next.
    package var due: Instant { lastLeft + interval }

    /// Bytes of the upstream left for the client, or a client came to whom none have left yet.
    package mutating func left(at now: Instant) {
        lastLeft = now
        hasBegun = true
        isAheadOfBody = false
    }

    /// Another client reads from now on.
    package mutating func attached(at now: Instant) { self = Heartbeat(every: interval, at: now) }

    /// The timer fired.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - isReady: Whether the client has taken all that it was given, and more is to come.
    /// - Returns: Whether to send one; ``due`` has moved where it has passed.
    package mutating func timerFired(at now: Instant, isReady: Bool) -> Bool {
        guard now >= due else { return false }
        lastLeft = now
        guard isReady else { return false }
        isAheadOfBody = !hasBegun
        return true
    }

    /// The first bytes of the upstream behind signs of life, without a byte order mark, which counts only in front of all.
    package func body(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        isAheadOfBody ? bytes.from(EventBlock.textStart(bytes)) : bytes
    }
}
