import Flow
import Upstream

/// One stream's part of a pull: its position in the retained records, which it passes on as far as the stream has room.
///
/// To the stream it is a transfer like any other. Its stream's full queue pauses it alone.
final class SharedReader: UpstreamTransfer {
    let stream: StreamId
    let join: JoinRequest
    private let canResume: Bool
    /// Until the last call to it.
    private var delegate: (any SharedTransferDelegate)?
    /// Until it left.
    private var feed: PullFeed?
    /// `nil` until the head.
    private var reading: SharedReading?
    private var isPaused = false
    private var isReading = false
    private var hold = HoldClock()
    /// Records that were passed on.
    private var passed = 0
    /// The last part of the stream without a gap, for a client that comes back.
    private var point = ResumePoints.Point(received: 0, record: 0)
    /// The place in the feed's list.
    var index = 0

    /// - Parameters:
    ///   - stream: The stream's id.
    ///   - join: Where it asks to begin.
    ///   - feed: The pull's records on this loop.
    ///   - canResume: Whether the records that were passed on are those that the client counts.
    ///   - delegate: The stream.
    init(
        of stream: StreamId, at join: JoinRequest, in feed: PullFeed, canResume: Bool,
        delegate: any SharedTransferDelegate
    ) {
        (self.stream, self.join, self.feed) = (stream, join, feed)
        (self.canResume, self.delegate) = (canResume, delegate)
    }

    /// Where it is; `nil` before the head.
    var cursor: Cursor? { reading?.cursor }

    // MARK: What the stream does

    /// The request is not its own, and not its own to repeat.
    var wasSent: Bool { true }

    func start() { feed?.add(self) }

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        feed?.readSoon(self)
    }

    func bodyArrived() {}

    func cancel() {
        delegate = nil
        leave()
    }

    // MARK: What the feed reports

    /// The head has arrived.
    func begin(_ head: SharedHead, in feed: PullFeed) {
        guard reading == nil, let delegate else { return }
        guard let point = feed.joinPoint(of: join, in: head.format), let reading = feed.reading(from: point) else {
            finish { $0.cannotJoin() }
            return
        }
        self.reading = reading
        delegate.transferIsShared(from: head.upstream)
        delegate.transferHead(head.response)
        read()
    }

    /// Passes on records that have just arrived; others before them first.
    ///
    /// - Parameters:
    ///   - slice: All of them.
    ///   - begin: The end of the log before them.
    func read(_ slice: SharedLog.Slice, from begin: Cursor) {
        guard !isReading, let room = room(), slice.records <= room, reading?.follow(slice, from: begin) ?? false else {
            return read()
        }
        isReading = true
        pass(slice, isLast: true)
        isReading = false
    }

    /// Passes on what the stream has room for.
    func read() {
        guard !isReading, reading != nil else { return }
        isReading = true
        defer { isReading = false }
        while let room = room() {
            guard let feed, let step = reading?.next(in: feed.log, upTo: room) else { return }
            switch step {
            case .wait:
                if let end = feed.end { finish { $0.end(with: end) } }
                return
            case .pass(let slice): pass(slice, isLast: slice.next == feed.log.end)
            case .lost(let range): delegate?.recordsLost(range.count, after: passed)
            case .end: lagged()
            }
        }
    }

    /// Whether it has kept the pull waiting for the limit without taking a record.
    func looked(_ limit: TimeLimit, in log: SharedLog, at now: Instant) -> Bool {
        guard let cursor, let delegate else { return false }
        let isHolding = !log.isLow(from: cursor) && !delegate.isUnread
        return hold.looked(at: isHolding ? cursor.record : nil, limit: limit, at: now)
    }

    /// It is too slow for the other readers.
    func lagged() { finish { $0.readerLagged() } }

    /// The pull ended before its head.
    func fail(_ end: SharedEnd) { finish { $0.end(with: end) } }

    /// The response must not be shared.
    func refused(_ cause: SharingRefusal) { finish { $0.sharingRefused(cause) } }

    /// The records that the stream can take; `nil` if none.
    private func room() -> Int? {
        guard !isPaused, let delegate else { return nil }
        // It may write to the client, which may change anything here.
        let room = delegate.recordRoom
        return isPaused || self.delegate == nil ? nil : room
    }

    private func pass(_ slice: SharedLog.Slice, isLast: Bool) {
        let first = slice.next.record - slice.records
        if first != point.record + passed - point.received { point = .init(received: passed, record: first) }
        passed += slice.records
        delegate?.transferRecords(slice, isLast: isLast)
    }

    /// Leaves the pull, then reports.
    private func finish(_ report: (any SharedTransferDelegate) -> Void) {
        guard let delegate else { return }
        self.delegate = nil
        leave()
        report(delegate)
    }

    private func leave() {
        guard let feed else { return }
        self.feed = nil
        feed.remove(self, at: canResume && reading != nil ? point : nil)
    }
}

extension SharedTransferDelegate {
    fileprivate func end(with end: SharedEnd) {
        if end.end == .complete, !end.trailers.isEmpty { transferTrailers(end.trailers) }
        transferEnded(end.end)
    }
}
