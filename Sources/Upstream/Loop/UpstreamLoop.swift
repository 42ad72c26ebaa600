import CCurl
package import Flow
package import NIOCore

/// All of libcurl on one event loop: its multi handles, its sockets, its timer and the pool of easy handles.
///
/// A turn: the loop is woken, the ready sockets are reported to libcurl, what that started or ended is settled, transfers
/// are resumed, and the watch of the sockets is armed again. What a callback of libcurl requests is put on a list and
/// settled after libcurl has returned (``TransferLists``).
package final class UpstreamLoop {
    package struct Statistics: Equatable, Sendable {
        package var active = 0
        package var handles = 0
        /// Of which it knows where their connections are.
        package var origins = 0
    }

    /// Where the loop is in its turn.
    private struct Progress {
        /// How many calls to libcurl are under way.
        var callDepth = 0
        var isSettling = false
        /// Whether the end of the turn is still to come.
        var isInTurn = false
        /// Whether it is scheduled outside of a turn.
        var isEndScheduled = false
        /// Whether the next turn has been requested.
        var isTurnRequested = false
    }

    /// How often a turn looks at the sockets, and at the transfers to be resumed, before the loop's clients have theirs.
    private static let maximumRounds = 5

    package let eventLoop: any EventLoop
    private let clock: () -> Instant
    /// The time as of this turn.
    private var now: Instant
    private let sockets: SocketSet
    private let watch: SetWatch
    private let timer: DeadlineTimer
    private var handles = MultiHandlePool()
    private let easyHandles = EasyHandlePool()
    private let transfers = TransferLists()
    private var progress = Progress()
    private var isStopped = false

    /// Called when what one socket brought has been passed on: the time to write it to the client.
    package var handedOver: () -> Void = {}

    /// - Parameters:
    ///   - eventLoop: The loop that it lives on; every call is on it.
    ///   - clock: Reads the monotonic clock.
    /// - Throws: If the system has no descriptors left for the epoll set and the eventfd.
    package init(on eventLoop: any EventLoop, clock: @escaping () -> Instant) throws {
        eventLoop.assertInEventLoop()
        self.eventLoop = eventLoop
        self.clock = clock
        now = clock()
        sockets = try SocketSet()
        watch = try SetWatch(on: eventLoop)
        timer = DeadlineTimer(on: eventLoop, clock: clock)
        transfers.host = self
    }

    deinit {
        // First, because handles close their sockets into the socket set.
        stop()
    }

    /// Chooses the way to be woken and begins to listen; the future returns which it is.
    package func start(waking: Waking) -> EventLoopFuture<Waking> {
        watch.start(on: sockets.descriptor, waking: waking) { self.wasWoken() }
    }

    /// Closes every connection; no transfer may be running any more.
    ///
    /// A loop that was started is not released without it: the wakeup's channel retains it.
    package func stop() {
        isStopped = true
        watch.stop()
        easyHandles.removeAll()
        handles.removeAll()
    }

    package var statistics: Statistics {
        Statistics(active: handles.active, handles: handles.count, origins: handles.originCount)
    }

    /// Counts the turns.
    var turn: UInt64 { transfers.turn }

    /// Forgets the origins that are gone, as far as nothing has ended at them since: else reloads would add up.
    package func keep(_ origins: some Sequence<Origin>) { handles.keep(origins) }

    /// How many connections to each origin wait for the next request.
    package func idleConnections() -> [ObjectIdentifier: Int] { sockets.idleConnections() }

    /// Makes a transfer ready; ``Transfer/start()`` sends its request.
    ///
    /// - Throws: If libcurl has no memory for a handle, or after ``stop()``: no socket would be watched.
    package func makeTransfer(
        _ request: UpstreamRequest, at origin: Origin, delegate: any TransferDelegate
    ) throws -> Transfer {
        guard !isStopped else { throw SystemError.stopped }
        let easy = try easyHandles.take()
        let (handle, isFresh) = try handles.handle(for: origin, delegate: self)
        return Transfer(
            request, at: origin, on: handle, isFresh: isFresh, easy: easy, sockets: sockets, lists: transfers,
            delegate: delegate)
    }

    // MARK: A turn

    private func wasWoken() {
        beginTurn()
        progress.isTurnRequested = false
        while let transfer = transfers.nextWaitingForTurn() { transfer.turnBegan() }
        var rounds = 1
        // A set that is never empty must not keep the loop from its clients.
        while drainOnce(), rounds < Self.maximumRounds { rounds += 1 }
        endTurn()
        if !progress.isTurnRequested { watch.arm() }
    }

    private func drainOnce() -> Bool {
        sockets.drain { ready in
            let handle = handles[ready.owner]
            inside(handle) { handle.socketReady(ready.socket, events: ready.events) }
            // Its stream is written before the next socket is read: it waits for no other, and is still in the caches. What
            // ended is collected first, so that the end goes out with the last bytes.
            collectFinished()
            handedOver()
        }
    }

    private func beginTurn() {
        transfers.countTurn()
        now = clock()
        progress.isInTurn = true
    }

    /// Settles what the turn has requested, resumes included, and has it written to the clients.
    ///
    /// That may request further resumes. Those of a client as fast as its upstream must not keep the loop from the others.
    private func endTurn() {
        progress.isInTurn = true
        var rounds = 0
        repeat {
            applyResumes()
            settle()
            handedOver()
            rounds += 1
        } while transfers.resumes > 0 && rounds < Self.maximumRounds
        progress.isInTurn = false
        if transfers.resumes > 0 { requestTurn() }
    }

    private func inside(_ handle: MultiHandle, _ body: () -> Void) {
        progress.callDepth += 1
        body()
        progress.callDepth -= 1
        handles.wasTouched(handle)
    }

    private func settleRound(runsTimers: Bool) {
        add()
        if runsTimers {
            for _ in 0..<handles.timersDue {
                guard let handle = handles.nextDue() else { break }
                inside(handle) { handle.timedOut() }
            }
        }
        collectFinished()
        discard()
    }

    private func add() {
        while let transfer = transfers.nextToStart() {
            guard let handle = transfer.multi, !transfer.isCancelled else { continue }
            inside(handle) { _ = transfer.add(to: handle) }
            if !transfer.isAdded { finish(transfer, on: handle, result: CURLE_FAILED_INIT) }
        }
    }

    private func applyResumes() {
        for _ in 0..<transfers.resumes {
            guard let transfer = transfers.nextToResume() else { break }
            guard let handle = transfer.multi else { continue }
            inside(handle) { transfer.applyResume() }
        }
    }

    private func collectFinished() {
        while let handle = handles.nextTouched() {
            while let (easy, result) = handle.nextFinished() {
                // A cancelled one is on the list of those to be released.
                guard let transfer = Transfer.of(easy), !transfer.isCancelled else { continue }
                if result == CURLE_OK { connectionLeftIdle(by: transfer, on: handle) }
                finish(transfer, on: handle, result: result)
            }
        }
    }

    private func connectionLeftIdle(by transfer: Transfer, on handle: MultiHandle) {
        guard !transfer.connection.forbidsReuse else { return }
        handles.connectionLeftIdle(to: transfer.origin, on: handle)
        guard let socket = transfer.connection.socket else { return }
        sockets.leftIdle(
            socket.descriptor, generation: socket.generation, origin: transfer.origin,
            closesWhenReady: !transfer.connection.isShared)
    }

    private func finish(_ transfer: Transfer, on handle: MultiHandle, result: CURLcode) {
        let wasClosedWhileIdle = transfer.wasClosedWhileIdle(result)
        takeOut(transfer, of: handle)
        if wasClosedWhileIdle, transfer.repeats() { return transfers.startAgain(transfer) }
        // First, for the end may start the next request.
        if let easy = transfer.releaseHandle(after: result) { easyHandles.giveBack(easy) }
        transfer.ended(result, wasClosedWhileIdle: wasClosedWhileIdle)
    }

    private func takeOut(_ transfer: Transfer, of handle: MultiHandle) {
        guard transfer.isAdded else { return }
        inside(handle) { transfer.remove(from: handle) }
    }

    private func discard() {
        while let transfer = transfers.nextToRelease() {
            guard let handle = transfer.multi else { continue }
            // The connection of a stream of HTTP/2, if no other uses it: nothing else would close it, and an upstream whose
            // writes are held up need not read that the stream was reset.
            transfer.forbidReuse()
            takeOut(transfer, of: handle)
            transfer.discarded()
        }
    }

    // MARK: The timer

    private func awaitTimer(at deadline: Instant) {
        timer.call(by: deadline) { [self] in
            beginTurn()
            handles.timersAreDue(at: now)
            endTurn()
            if let next = handles.earliestDeadline { awaitTimer(at: next) }
        }
    }
}

extension UpstreamLoop: TransferHost {
    /// Does what callbacks requested, until nothing is left of it; resumes are for the end of the turn.
    ///
    /// Timers that are due at once are run once; a bulk transfer requests the next one right away, and that is for the
    /// next turn, when the others have had theirs.
    func settle() {
        guard progress.callDepth == 0, !progress.isSettling else { return }
        progress.isSettling = true
        var hasRunTimers = false
        while transfers.hasChanges || handles.mayHaveFinished || (handles.timersDue > 0 && !hasRunTimers) {
            settleRound(runsTimers: !hasRunTimers)
            hasRunTimers = true
        }
        progress.isSettling = false
        if handles.timersDue > 0 { requestTurn() }
    }

    func endTurnSoon() {
        guard !progress.isInTurn, !progress.isEndScheduled else { return }
        progress.isEndScheduled = true
        eventLoop.assumeIsolated().execute { [self] in
            progress.isEndScheduled = false
            endTurn()
        }
    }

    func requestTurn() {
        guard !progress.isTurnRequested else { return }
        progress.isTurnRequested = true
        watch.callSoon()
    }
}

extension UpstreamLoop: MultiHandleDelegate {
    func timerChanged(of handle: MultiHandle, milliseconds: Int) {
        switch milliseconds {
        case ..<0: handle.deadline = .distantFuture
        case 0:
            handles.timerIsDue(of: handle)
            return settle()
        default: handle.deadline = clock().advanced(byNanoseconds: Int64(milliseconds) * 1_000_000)
        }
        awaitTimer(at: handle.deadline)
    }

    func socketChanged(_ socket: CInt, of handle: MultiHandle, easy: UnsafeMutableRawPointer?, interest: CInt) {
        sockets.watch(socket, for: interest, owner: handle.tag)
        guard interest != CURL_POLL_REMOVE, let easy, let transfer = Transfer.of(easy) else { return }
        transfer.connection.socket = (socket, sockets.generation(of: socket))
    }
}
