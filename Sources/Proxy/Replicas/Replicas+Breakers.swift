import Flow

// Client breakers over all replicas.

extension Replicas {
    /// A client's breaker has opened here, for that long.
    func opened(_ key: BreakerKey, for time: Duration, at now: Instant) {
        withLimits { $0.opened(key, for: time, at: now) }
        advance()
    }

    /// Takes an opening of another replica that this one has not applied yet.
    ///
    /// - Parameters:
    ///   - key: Computed only if another replica has opened any breaker.
    ///   - now: The time.
    /// - Returns: The end of the cooldown; `nil` if there is none.
    func takeOpening(_ key: @autoclosure () -> BreakerKey, at now: Instant) -> Instant? {
        guard withLimits({ !$0.breakers.isEmpty }) else { return nil }
        let key = key()
        return withLimits { $0.takeOpening(key, at: now) }
    }

    /// The messages of the channel arrive from now on.
    func hasSubscribed() {
        noteSubscription(true)
        let isStoreUsed = withLimits { limits in
            limits.hasSubscribed()
            return limits.health.isUp
        }
        // The first probe waits for the connection for commands, which may follow: it would fail without one.
        if isStoreUsed { advance() }
    }

    /// No messages arrive for now.
    func hasUnsubscribed() { noteSubscription(false) }

    /// A message of the channel; one that is no announcement is counted and ignored.
    func messageArrived(_ message: [UInt8]) {
        let now = clock()
        guard let notice = BreakerNotice(message) else { return noteMalformedMessage() }
        withLimits { $0.received(notice, at: now) }
    }
}
