import HTTPText

/// The number of records of a stream that may be sent now: the minimum of its pace, its client's feedback, and its
/// budget.
///
///     pace      granted, or changed by the client's feedback      ``Meter``
///     pause     by the client                                     nothing is sent until the client resumes
///     credit    after its first request for N records             only that number is sent
///     lease     if the client's streams share one budget          drawn from it a few at a time
///     spread    if the route smooths the pace                     ``BurstSpread``
///
/// No wait that it causes counts against the client.
package struct Pacer: Sendable {
    private var meter: Meter
    private var isPaused = false
    /// Records that the client has requested and not received; `nil` until its first request.
    private var credit: Int?
    /// The remaining records of the lease; `nil` if no budget is shared.
    private var leased: Int?
    private var leaseBegins = Instant.distantPast
    /// Whether the budget had nothing: `leaseBegins` is when it is asked again.
    private var waitsForLease = false
    /// Units that were sent beyond a lease, less those that were counted and not sent.
    private var owed = 0
    /// `nil` if records are sent as they arrive.
    private var spread: BurstSpread?

    /// A pacer whose first record, or first burst, may be sent from `now` on; with a shared budget, after its first
    /// ``lease(_:notBefore:)``.
    package init(pace: Pace, burst: Int, sharesBudget: Bool = false, at now: Instant) {
        meter = Meter(pace: pace, burst: burst, at: now)
        leased = sharesBudget ? 0 : nil
    }

    /// Whether records are sent at once as long as the client takes them, so that no timer is needed.
    package var isUnlimited: Bool { meter.isUnlimited && leased == nil && spread == nil }

    /// Whether bursts are spread, so that ``arrived(waiting:before:at:)`` has to be called.
    package var isSpreading: Bool { spread != nil }

    /// Whether the client itself has stopped its stream, by a pause or without credit.
    package var isStoppedByClient: Bool { isPaused || credit == 0 }

    /// Whether the lease is used up, so that one more record needs a new one, and the budget may be asked for it.
    package func needsLease(at now: Instant) -> Bool {
        leased == 0 && !isStoppedByClient && (!waitsForLease || now >= leaseBegins)
    }

    /// The number of records that may be sent now; does not take them.
    package func available(at now: Instant) -> Int {
        guard !isPaused else { return 0 }
        var available = meter.available(at: now)
        if let credit { available = min(available, credit) }
        if let leased { available = now < leaseBegins ? 0 : min(available, leased) }
        if let spread { available = min(available, spread.available(at: now)) }
        return available
    }

    /// When the next record is due, or the budget may be asked again; never, while the client has stopped the stream or
    /// before a new lease.
    package var nextDue: Instant {
        guard !isStoppedByClient else { return .distantFuture }
        guard leased == 0 else { return max(meter.nextDue, leaseBegins, spread?.nextDue ?? .distantPast) }
        return waitsForLease ? leaseBegins : .distantFuture
    }

    /// Takes records that are sent now; at most the last result of ``available(at:)``.
    package mutating func take(_ count: Int, at now: Instant, leavesWaiting: Bool) {
        meter.take(count, at: now, leavesWaiting: leavesWaiting && !isStoppedByClient)
        if let credit { self.credit = credit - count }
        if let leased { self.leased = leased - count }
        spread?.take(count)
    }

    /// Takes one record that is sent now, of any weight in units.
    ///
    /// One unit has to be available. What the record weighs beyond those that are is a debt: of the pace, until it is paid;
    /// of the budget, until ``settle()``. Credit is in records.
    package mutating func takeOne(weighing units: Int, at now: Instant, leavesWaiting: Bool) {
        meter.take(units, at: now, leavesWaiting: leavesWaiting && !isStoppedByClient)
        if let credit { self.credit = credit - 1 }
        spread?.take(1)
        guard let leased else { return }
        let covered = min(leased, max(0, units))
        self.leased = leased - covered
        owed += units - covered
    }

    /// Whether the budget and the leases differ from what was sent.
    package var isUnsettled: Bool { owed != 0 }

    /// The units to charge to the budget; to give back if negative.
    package mutating func settle() -> Int {
        defer { owed = 0 }
        return owed
    }

    // MARK: Changes

    /// The stream begins: its terms apply from now on; feedback that arrived while it waited is kept.
    ///
    /// - Parameters:
    ///   - pace: The granted pace.
    ///   - burst: Records that may be sent at once after an idle time.
    ///   - sharesBudget: Whether leases are needed.
    ///   - spread: The longest time for which a record waits so that bursts are spread; `nil` if they are not.
    ///   - now: The time.
    package mutating func begin(
        pace: Pace, burst: Int, sharesBudget: Bool, spread: Duration? = nil, at now: Instant
    ) {
        meter = Meter(pace: pace, burst: burst, at: now)
        leased = sharesBudget ? 0 : nil
        self.spread = spread.map { BurstSpread(atMost: $0, at: now) }
    }

    /// Records arrived, see ``BurstSpread/arrived(waiting:before:at:)``.
    package mutating func arrived(waiting: Int, before: Int, at now: Instant) {
        spread?.arrived(waiting: waiting, before: before, at: now)
    }

    /// What waits is not spread, because there is no room for it.
    package mutating func releaseBurst(at now: Instant) { spread?.release(at: now) }

    /// Continues at another pace.
    package mutating func change(pace: Pace, burst: Int, at now: Instant) {
        meter.change(pace: pace, burst: burst, at: now)
    }

    /// The client pauses or resumes its stream.
    package mutating func hold(_ isPaused: Bool) { self.isPaused = isPaused }

    /// The client requests this many more records; from the first request on, it gets no others.
    package mutating func request(_ records: Int) {
        var sum = credit ?? 0
        sum.addUpToMost(records)
        credit = sum
    }

    /// Records that were sent are returned, because the client has not received them: its credit already covers them.
    package mutating func returned(_ records: Int) {
        if credit != nil { request(records) }
    }

    /// Records were drawn from the budget; they may be sent from `begins` on.
    package mutating func lease(_ records: Int, notBefore begins: Instant) {
        leased = records
        leaseBegins = begins
        waitsForLease = false
    }

    /// The budget has no record before `time`.
    package mutating func awaitLease(until time: Instant) {
        leased = 0
        leaseBegins = time
        waitsForLease = true
    }

    /// There is no shared budget any more: no lease limits the stream from now on.
    package mutating func leaveBudget() { leased = nil }

    /// The unused records of the lease, to be given back at the stream's end.
    package var unusedLease: Int { leased ?? 0 }

    /// The remaining credit of the client; `nil` until its first request.
    package var remainingCredit: Int? { credit }
    /// Whether the client has paused its stream.
    package var isPausedByClient: Bool { isPaused }
}
