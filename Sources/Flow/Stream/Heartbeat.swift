/// Decides when an idle stream needs a heartbeat.
///
/// It receives the time of each write, and is checked by a timer that is not moved with each record: a timer that fires
/// early is set again.
package struct Heartbeat: Equatable, Sendable {
    private let interval: Duration
    private var lastSent: Instant
    /// Heartbeats were sent before any other byte, so that a byte order mark would no longer be the first.
    private var isAheadOfBody = false
    private var hasBegun = false

    /// A heartbeat after each `interval` without a write, counted from `now`.
    package init(every interval: Duration, at now: Instant) {
        self.interval = interval
        lastSent = now
    }

    /// Whether the next bytes are sent as they are, see ``body(_:)``.
    package var changesNothing: Bool { !isAheadOfBody }

    /// When the timer should fire next.
    package var due: Instant { lastSent + interval }

    /// Bytes of the upstream were sent, or a client is attached to which none were sent yet.
    package mutating func sent(at now: Instant) {
        lastSent = now
        hasBegun = true
        isAheadOfBody = false
    }

    /// Another client is attached.
    package mutating func attached(at now: Instant) { self = Heartbeat(every: interval, at: now) }

    /// The timer fired.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - isReady: Whether the client has taken all bytes sent to it, and more will follow.
    /// - Returns: Whether to send a heartbeat; ``due`` has moved if it has passed.
    package mutating func timerFired(at now: Instant, isReady: Bool) -> Bool {
        guard now >= due else { return false }
        lastSent = now
        guard isReady else { return false }
        isAheadOfBody = !hasBegun
        return true
    }

    /// The first bytes of the upstream after heartbeats, without a byte order mark, which is valid only at the
    /// beginning.
    package func body(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        isAheadOfBody ? bytes.from(EventBlock.textStart(bytes)) : bytes
    }
}

extension RecordFormat {
    /// What is sent between two records, and is not one; `nil` if the format has nothing that its readers ignore.
    ///
    /// Of events a comment, and its empty line, so that no block stays open after it; of lines a blank one. A text of a
    /// sequence has no such form: RFC 7464 lets readers ignore a second RS, and many do not.
    package var heartbeat: StaticString? {
        switch self {
        case .ndjson: "\n"
        case .sse: ":\n\n"
        case .jsonSequence: nil
        }
    }
}
