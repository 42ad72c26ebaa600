/// The number and the total time of the pauses of one upstream by a full queue.
struct QueuePauses: Sendable {
    /// When the running pause began; `nil` if there is none.
    private(set) var since: Instant?
    /// Pauses so far, the running one included.
    private(set) var count = 0
    /// The total of the pauses that have ended.
    private var nanoseconds: Int64 = 0

    mutating func begin(at now: Instant) {
        count += 1
        since = now
    }

    /// Ends the running pause, if there is one.
    mutating func end(at now: Instant) {
        guard let since else { return }
        nanoseconds += now.nanoseconds - since.nanoseconds
        self.since = nil
    }

    /// The time of all pauses, the running one included.
    func total(at now: Instant) -> Duration {
        .nanoseconds(nanoseconds + (since.map { now.nanoseconds - $0.nanoseconds } ?? 0))
    }
}
