import Flow

/// An upstream that has records at a constant rate: what it could send, and what was read of it.
struct ModelUpstream {
    private let rate: Double
    private let began: Instant
    /// Records that the kernel of weir's machine holds for a paused upstream; more are not sent.
    private let mostWaiting: Int
    private var taken = 0
    /// Records that are not made up for: the upstream was blocked when they would have been sent.
    private var missed = 0

    init(rate: Double, mostWaiting: Int, at now: Instant) {
        (self.rate, self.mostWaiting, began) = (rate, max(1, mostWaiting), now)
    }

    /// Records that can be read now.
    mutating func available(at now: Instant) -> Int {
        let waiting = Int((now - began).inSeconds * rate + 1e-6) + 1 - taken - missed
        missed += max(0, waiting - mostWaiting)
        return min(waiting, mostWaiting)
    }

    mutating func take(_ records: Int) { taken += records }

    /// When the next record that has not been read is there.
    var next: Instant {
        began.advanced(byNanoseconds: Int64((Double(taken + missed) / rate * 1e9).rounded(.up)))
    }
}
