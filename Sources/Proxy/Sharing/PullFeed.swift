import Downstream
import Flow
import NIOCore
import Settings
import Upstream

/// The records of a pull on one event loop, and the readers of that loop.
///
/// The pull's own loop has one, and each other loop with readers has another, whose log refers to the same segments.
final class PullFeed {
    /// What the pull has reported of the response, beside its records.
    private struct Response {
        var head: SharedHead?
        var end: SharedEnd?
        var refusal: SharingRefusal?
    }

    let description: PullDescription
    private let host: any PullHost
    private let table: PullTable
    /// Until the pull has ended.
    private var pull: NIOLoopBound<Pull>?
    private(set) var log: SharedLog
    private var response = Response()
    private var readers: [SharedReader] = []
    /// Readers that have room again.
    private var reading: [SharedReader] = []
    /// Whether its readers cannot take more for now, as it reported to the pull.
    private var isFull = false
    /// While it is full, looks at the readers for which the pull waits.
    private var holdTimer: LoopTimer?
    private var isSettling = false
    private unowned let owner: any PullFeedOwner

    /// - Parameters:
    ///   - description: The pull's.
    ///   - table: Where its readers are counted.
    ///   - host: The loop.
    ///   - owner: Finds the feed for further readers.
    init(of description: PullDescription, table: PullTable, on host: any PullHost, owner: any PullFeedOwner) {
        self.description = description
        (self.table, self.host, self.owner) = (table, host, owner)
        log = SharedLog(retention: description.sharing.settings.retention)
    }

    private var sharing: RouteSharing { description.sharing }

    /// Its pull, if that is on another loop and has not ended.
    var remotePull: NIOLoopBound<Pull>? { pull.flatMap { $0.eventLoop.inEventLoop ? nil : $0 } }

    var readerCount: Int { readers.count }
    /// How the response ended; `nil` before that.
    var end: SharedEnd? { response.end }

    /// The records by which its slowest reader is behind.
    var lag: Int { readers.reduce(0) { max($0, log.next - ($1.cursor?.record ?? log.next)) } }

    func begin(with pull: NIOLoopBound<Pull>) { self.pull = pull }

    // MARK: Readers

    /// A reader joins; it was counted in the table.
    func add(_ reader: SharedReader) {
        if let refusal = response.refusal { return reader.refused(refusal) }
        reader.index = readers.count
        readers.append(reader)
        callPull { $0.readersChanged(by: 1, in: $1) }
        log.trim(keeping: promised, at: host.now())
        guard let head = response.head else {
            // It ended before its head.
            if let end = response.end { reader.fail(end) }
            return
        }
        reader.begin(head, in: self)
        settle()
    }

    /// A reader left.
    func remove(_ reader: SharedReader, at point: ResumePoints.Point?) {
        table.left(description.key, description.id, as: reader.stream, at: point)
        guard reader.index < readers.count, readers[reader.index] === reader else { return }
        readers.swapAt(reader.index, readers.count - 1)
        readers.removeLast()
        if reader.index < readers.count { readers[reader.index].index = reader.index }
        callPull { $0.readersChanged(by: -1, in: $1) }
        if readers.isEmpty { owner.feedIsUnread(self) }
        settleSoon()
    }

    /// A reader has room again; it reads when the current event is handled.
    func readSoon(_ reader: SharedReader) {
        reading.append(reader)
        settleSoon()
    }

    /// Lets readers with room read, and reports whether the pull must wait, when the current event is handled.
    private func settleSoon() {
        guard !isSettling else { return }
        isSettling = true
        host.eventLoop.assumeIsolated().execute {
            self.isSettling = false
            let reading = self.reading
            self.reading = []
            for reader in reading { reader.read() }
            self.settle()
            self.host.turnEnded()
        }
    }

    /// Where a reader begins; `nil` if that is not known.
    func joinPoint(of join: JoinRequest, in format: RecordFormat) -> JoinPoint? {
        switch join {
        // Not an error if it is unknown: an EventSource that gets a 410 does not reconnect (HTML, section 9.2.2), and after
        // a restart of the upstream no event of before is known.
        case .afterEvent(let id) where format == .sse && log.cursor(for: .afterEvent(id)) != nil: .afterEvent(id)
        case .asConfigured, .afterEvent: .configured(sharing.settings.join)
        case .resumed(let resume):
            table.record(in: description.id, of: description.key, after: resume).map { .record($0) }
        }
    }

    func reading(from point: JoinPoint) -> SharedReading? {
        SharedReading(point, lag: sharing.settings.lag, in: log)
    }

    // MARK: The pull

    /// A report from another loop.
    func receiveRemotely(_ event: PullEvent) {
        receive(event)
        host.turnEnded()
    }

    func receive(_ event: PullEvent) {
        switch event {
        case .joined(let head, let log):
            self.log = log
            if let head { receive(.head(head)) }
        case .head(let head):
            response.head = head
            for reader in readers { reader.begin(head, in: self) }
        case .records(let segments):
            for segment in segments {
                let begin = log.end
                let slice = log.append(segment)
                for reader in readers { reader.read(slice, from: begin) }
                settle()
            }
        case .ended(let end):
            (response.end, pull) = (end, nil)
            stopLooking()
            owner.feedEnded(self)
            for reader in readers { if response.head == nil { reader.fail(end) } else { reader.read() } }
        case .refused(let cause):
            (response.refusal, pull) = (cause, nil)
            stopLooking()
            owner.feedEnded(self)
            for reader in readers { reader.refused(cause) }
        }
    }

    /// The position from which nothing may be released: under `wait` the slowest reader's, else the fastest's.
    private var promised: Cursor? {
        var promised: Cursor?
        for reader in readers {
            guard let cursor = reader.cursor else { continue }
            guard let other = promised else {
                promised = cursor
                continue
            }
            if sharing.settings.lag == .wait {
                if cursor.record < other.record { promised = cursor }
            } else {
                // Usually the first one has everything.
                if other.record == log.next { break }
                if cursor.record > other.record { promised = cursor }
            }
        }
        return promised
    }

    /// Releases what is no longer retained, and reports whether the pull must wait.
    private func settle() {
        let promised = promised
        // The pull waits for the fastest reader of all loops. If that is on another one, these have lost their promise.
        let isKept = sharing.settings.lag == .wait || promised.map { !log.exceedsOvershoot(from: $0) } ?? true
        log.trim(keeping: isKept ? promised : nil, at: host.now())
        if host.isMemoryExceeded { log.releaseAll(keeping: promised ?? log.end) }
        let wasFull = isFull
        isFull = promised.map { wasFull ? !log.isLow(from: $0) : log.isFull(from: $0) } ?? false
        guard isFull != wasFull else { return }
        let isFull = isFull
        callPull { $0.feedIsFull(isFull, $1) }
        lookAtHolders(at: host.now())
    }

    /// Under `lag: wait`, ends the readers that have kept the pull waiting for too long.
    private func lookAtHolders(at now: Instant) {
        guard let limit = description.holdLimit, pull != nil, isFull else { return stopLooking() }
        let timer = holdTimer ?? LoopTimer(target: self)
        holdTimer = timer
        host.timers.set(timer, at: HoldClock.nextLook(after: now, limit: limit))
        for reader in readers.filter({ $0.looked(limit, in: log, at: now) }) { reader.lagged() }
    }

    private func stopLooking() { if let holdTimer { host.timers.cancel(holdTimer) } }

    /// Calls the pull on its loop.
    private func callPull(_ body: @escaping @Sendable (Pull, ObjectIdentifier) -> Void) {
        guard let pull else { return }
        let feed = ObjectIdentifier(self)
        guard !pull.eventLoop.inEventLoop else { return body(pull.value, feed) }
        pull.eventLoop.execute { body(pull.value, feed) }
    }
}

extension PullFeed: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) { lookAtHolders(at: now) }
}

/// Finds a pull's feed for further readers of its loop.
protocol PullFeedOwner: AnyObject {
    /// Its last reader left.
    func feedIsUnread(_ feed: PullFeed)

    /// No reader joins it any more.
    func feedEnded(_ feed: PullFeed)
}
