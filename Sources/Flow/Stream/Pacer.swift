/// How many records of a stream may leave now: the slowest of its pace, of what the client said since, and of its budget.
///
///     pace      granted, or changed by the client's feedback      ``Meter``
///     hold      the client asked for a pause                      nothing leaves until it says so
///     credit    after its first request for N records             only so many leave
///     lease     where the client's streams share one budget       drawn from it a few at a time
///
/// Whatever it makes wait, the client is not slow for it.
package struct Pacer: Sendable {
    private var meter: Meter
    private var isHeld = false
    /// Records that the client has asked for and not got; `nil` as long as it never asked.
    private var credit: Int?
    /// Records of the lease that are left; `nil` where no budget is shared.
    private var leased: Int?
    private var leaseBegins = Instant.distantPast

    /// A pacer whose first record, or first burst, may leave from `now` on; where the stream shares a budget, after its
    /// first ``lease(_:notBefore:)``.
    package init(pace: Pace, burst: Int, sharesBudget: Bool = false, at now: Instant) {
        meter = Meter(pace: pace, burst: burst, at: now)
        leased = sharesBudget ? 0 : nil
    }

    /// Whether records leave at once as long as the client takes them: nothing to wait for by a timer.
    package var isUnlimited: Bool { meter.isUnlimited && leased == nil }

    /// Whether the client holds its own stream back.
    package var isHeldByClient: Bool { isHeld || credit == 0 }

    /// Whether the lease is used up, so that one more record needs a new one.
    package var needsLease: Bool { leased == 0 && !isHeldByClient }

    /// How many records may pass now; does not take them.
    package func available(at now: Instant) -> Int {
        guard !isHeld else { return 0 }
        var available = meter.available(at: now)
        if let credit { available = min(available, credit) }
        if let leased { available = now < leaseBegins ? 0 : min(available, leased) }
        return available
    }

    /// When the next record is due; never, while the client holds or before a new lease.
    package var nextDue: Instant {
        isHeldByClient || leased == 0 ? .distantFuture : max(meter.nextDue, leaseBegins)
    }

    /// Takes records that pass now; at most what ``available(at:)`` just said.
    package mutating func take(_ count: Int, at now: Instant, leavesWaiting: Bool) {
        meter.take(count, at: now, leavesWaiting: leavesWaiting && !isHeldByClient)
        if let credit { self.credit = credit - count }
        if let leased { self.leased = leased - count }
    }

    // MARK: What changes it

    /// The stream begins: its terms count from now on; what the client has said already, while it waited, stays.
    package mutating func begin(pace: Pace, burst: Int, sharesBudget: Bool, at now: Instant) {
        meter = Meter(pace: pace, burst: burst, at: now)
        leased = sharesBudget ? 0 : nil
    }

    package mutating func change(pace: Pace, burst: Int, at now: Instant) {
        meter.change(pace: pace, burst: burst, at: now)
    }

    package mutating func hold(_ isHeld: Bool) { self.isHeld = isHeld }

    /// The client asks for so many more records; from the first time on, it gets no others.
    package mutating func request(_ records: Int) {
        let (sum, overflow) = (credit ?? 0).addingReportingOverflow(records)
        credit = overflow ? .max : sum
    }

    /// Records that left come back, since the client has not received them: they are paid for by its credit already.
    package mutating func returned(_ records: Int) {
        if credit != nil { request(records) }
    }

    /// Records that were drawn from the budget.
    package mutating func lease(_ records: Int, notBefore begins: Instant) {
        leased = records
        leaseBegins = begins
    }

    /// What is left of the lease, to be given back at the stream's end.
    package var unusedLease: Int { leased ?? 0 }

    /// What is left of the client's credit; `nil` as long as it never asked for any.
    package var creditLeft: Int? { credit }
    package var isPausedByClient: Bool { isHeld }
}
