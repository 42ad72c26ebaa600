import CCurl
package import Flow
package import NIOCore

/// All of libcurl on one event loop: its multi handles, its sockets, its timer and the pool of easy handles.
///
/// A turn goes: the waker rings, the ready sockets are told to libcurl, whatever that started or ended is settled, the
/// waker is armed again. Nothing of libcurl is called from inside one of its callbacks but `curl_easy_getinfo`; what
/// a callback wants done is put on a list and settled after libcurl has returned.
package final class UpstreamLoop {
    package struct Statistics: Equatable, Sendable {
        package var active = 0
        package var handles = 0
        /// Of which it knows where their connections are.
        package var origins = 0
    }

    /// About 512 streams a handle at most; see ``MultiHandle``.
    private static let streamsPerHandle = 512, maximumHandles = 64
    /// Idle easy handles that are kept: 5 KB each.
    private static let pooledHandles = 256
    private static let idleConnectionsPerHandle = 512

    package let eventLoop: any EventLoop
    let clock: () -> Instant
    /// The time as of this turn.
    private(set) var now: Instant
    /// Counts the turns.
    private(set) var turn: UInt64 = 1
    let sockets: SocketSet
    private let bell: LoopWakeup
    private let alarm: DeadlineTimer
    private var waker: (any LoopWaker)?
    private var handles: [MultiHandle] = []
    private var idle: [EasyHandle] = []
    private let names: UnsafeMutableRawPointer?
    /// Handles that had a connection left over when a transfer ended, by origin; the last one first.
    private var warm: [ObjectIdentifier: [Int]] = [:]
    /// Where the connections of an origin are that its requests share.
    private var shared: [ObjectIdentifier: MultiHandle] = [:]

    private var depth = 0
    private var isSettling = false
    private var due: [MultiHandle] = []
    private var touched: [MultiHandle] = []
    private var starting: [Transfer] = []
    private var resuming: [Transfer] = []
    private var releasing: [Transfer] = []
    private var continuing: [Transfer] = []
    private var isTurnAskedFor = false

    /// Called when what one socket brought has been handed over: the time to write it to the client.
    package var handedOver: () -> Void = {}

    /// - Parameters:
    ///   - eventLoop: The loop that it lives on; every call is on it.
    ///   - clock: Reads the monotonic clock.
    /// - Throws: Where the system has no descriptors left for the epoll set and the bell.
    package init(on eventLoop: any EventLoop, clock: @escaping () -> Instant) throws {
        eventLoop.assertInEventLoop()
        self.eventLoop = eventLoop
        self.clock = clock
        now = clock()
        sockets = try SocketSet()
        bell = try LoopWakeup(on: eventLoop)
        alarm = DeadlineTimer(on: eventLoop, clock: clock)
        names = weir_share_dns_create()
    }

    deinit {
        // In this order: handles close their sockets into the socket set, and easy handles let go of the share.
        stop()
        curl_share_cleanup(names)
    }

    /// Chooses the way to be woken and begins to listen; the future tells which it is.
    package func start(waking: Waking) -> EventLoopFuture<Waking> {
        let usesAIO = waking == .aio || (waking == .auto && AIOWaker.isPermitted())
        do {
            let waker: any LoopWaker =
                usesAIO
                ? try AIOWaker(watching: sockets.descriptor, bell: bell)
                : try ThreadWaker(watching: sockets.descriptor, bell: bell)
            self.waker = waker
            let bound = NIOLoopBound(waker, eventLoop: eventLoop)
            return bell.start { self.bellRang() }.map {
                bound.value.arm()
                return usesAIO ? .aio : .thread
            }
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    /// Closes every connection; no transfer may be running any more.
    ///
    /// What was started is not let go of without it: the bell's channel holds the loop.
    package func stop() {
        waker?.stop()
        waker = nil
        bell.stop()
        idle.removeAll()
        shared.removeAll()
        handles.removeAll()
    }

    package var statistics: Statistics {
        Statistics(
            active: handles.reduce(0) { $0 + $1.active }, handles: handles.count,
            origins: Set(warm.keys).union(shared.keys).count)
    }

    /// Forgets the origins that are gone, as far as nothing has ended at them since: else reloads would add up.
    package func keep(_ origins: some Sequence<Origin>) {
        let kept = Set(origins.map(ObjectIdentifier.init))
        warm = warm.filter { kept.contains($0.key) }
        shared = shared.filter { kept.contains($0.key) }
    }

    /// How many connections to each origin wait for the next request.
    package func idleConnections() -> [ObjectIdentifier: Int] { sockets.idleConnections() }

    /// Makes a transfer ready; ``Transfer/start()`` sends its request.
    ///
    /// - Throws: Where libcurl has no memory for a handle.
    package func makeTransfer(
        _ request: UpstreamRequest, at origin: Origin, delegate: any TransferDelegate
    ) throws -> Transfer {
        let easy = try idle.popLast() ?? EasyHandle(sharing: names)
        let (handle, isFresh) = try place(for: origin)
        return Transfer(
            request, at: origin, on: handle, isFresh: isFresh, easy: easy, loop: self, delegate: delegate)
    }

    /// Which handle takes the next request, and whether that needs a connection of its own.
    private func place(for origin: Origin) throws -> (MultiHandle, isFresh: Bool) {
        let origin = (key: ObjectIdentifier(origin), isShared: origin.speaksHTTP2)
        if !origin.isShared {
            if let tag = warm[origin.key]?.popLast() { return (handles[tag], false) }
            return (try leastLoaded(multiplexing: false), true)
        }
        if let handle = shared[origin.key], handle.active < Self.streamsPerHandle { return (handle, false) }
        let handle = try leastLoaded(multiplexing: true)
        shared[origin.key] = handle
        return (handle, false)
    }

    // MARK: Called by Transfer and MultiHandle

    func start(_ transfer: Transfer) {
        starting.append(transfer)
        settle()
    }

    func resume(_ transfer: Transfer) {
        resuming.append(transfer)
        settle()
    }

    func release(_ transfer: Transfer) {
        releasing.append(transfer)
        settle()
    }

    func continueNextTurn(_ transfer: Transfer) {
        continuing.append(transfer)
        askForTurn()
    }

    func timerChanged(of handle: MultiHandle, isDueNow: Bool) {
        if isDueNow {
            if !due.contains(where: { $0 === handle }) { due.append(handle) }
            settle()
        } else {
            awaitTimer(at: handle.deadline)
        }
    }

    // MARK: A turn

    private func bellRang() {
        beginTurn()
        isTurnAskedFor = false
        let transfers = continuing
        continuing.removeAll(keepingCapacity: true)
        for transfer in transfers { transfer.turnBegan() }
        var rounds = 0
        // A set that is never empty must not keep the loop from its clients.
        while drainOnce(), rounds < 4 { rounds += 1 }
        endTurn()
        if !isTurnAskedFor { waker?.arm() }
    }

    /// Another turn, as soon as the loop has looked at the clients' sockets.
    private func askForTurn() {
        guard !isTurnAskedFor else { return }
        isTurnAskedFor = true
        bell.ring()
    }

    private func drainOnce() -> Bool {
        sockets.drain { ready in
            let handle = handles[ready.owner]
            inside(handle) { handle.socketReady(ready.socket, events: ready.events) }
            // Its stream is written before the next socket is read: it waits for nobody, and is still in the caches. What
            // ended is collected first, so that the end goes out with the last bytes.
            collectFinished()
            handedOver()
        }
    }

    private func beginTurn() {
        turn &+= 1
        now = clock()
    }

    private func endTurn() {
        settle()
        handedOver()
    }

    private func inside(_ handle: MultiHandle, _ body: () -> Void) {
        depth += 1
        body()
        depth -= 1
        if !touched.contains(where: { $0 === handle }) { touched.append(handle) }
    }

    /// Does what callbacks asked for, until nothing is left of it.
    ///
    /// Timers that are due at once are run once; a bulk transfer asks for the next one right away, and that is for the
    /// next turn, when the others have had theirs.
    private func settle() {
        guard depth == 0, !isSettling else { return }
        isSettling = true
        var hasRunTimers = false
        while hasWork || (!due.isEmpty && !hasRunTimers) {
            add()
            applyResumes()
            if !hasRunTimers {
                hasRunTimers = true
                runDueTimers()
            }
            collectFinished()
            discard()
        }
        isSettling = false
        if !due.isEmpty { askForTurn() }
    }

    private var hasWork: Bool {
        !starting.isEmpty || !resuming.isEmpty || !touched.isEmpty || !releasing.isEmpty
    }

    private func add() {
        let transfers = starting
        starting.removeAll(keepingCapacity: true)
        for transfer in transfers {
            guard let handle = transfer.multi, !transfer.isCancelled else { continue }
            inside(handle) { _ = transfer.add(to: handle) }
            if !transfer.isAdded { finish(transfer, on: handle, result: CURLE_FAILED_INIT) }
        }
    }

    private func applyResumes() {
        let transfers = resuming
        resuming.removeAll(keepingCapacity: true)
        for transfer in transfers {
            guard let handle = transfer.multi else { continue }
            inside(handle) { transfer.applyResume() }
        }
    }

    private func runDueTimers() {
        let handles = due
        due.removeAll(keepingCapacity: true)
        for handle in handles { inside(handle) { handle.timedOut() } }
    }

    private func collectFinished() {
        let handles = touched
        touched.removeAll(keepingCapacity: true)
        for handle in handles {
            while let (easy, result) = handle.nextFinished() {
                // A cancelled one is on the list of those to be released.
                guard let transfer = Transfer.of(easy), !transfer.isCancelled else { continue }
                if result == CURLE_OK, !transfer.forbidsReuse { connectionLeftIdle(by: transfer, on: handle) }
                finish(transfer, on: handle, result: result)
            }
        }
    }

    private func connectionLeftIdle(by transfer: Transfer, on handle: MultiHandle) {
        if !handle.multiplexes { warm[ObjectIdentifier(transfer.origin), default: []].append(handle.tag) }
        guard let socket = transfer.socket else { return }
        sockets.leftIdle(
            socket.descriptor, generation: socket.generation, origin: transfer.origin,
            closesWhenReady: !transfer.sharesConnection)
    }

    private func finish(_ transfer: Transfer, on handle: MultiHandle, result: CURLcode) {
        let wasClosedWhileIdle = transfer.wasClosedWhileIdle(result)
        takeOut(transfer, of: handle)
        if wasClosedWhileIdle, transfer.repeats() {
            starting.append(transfer)
            return
        }
        // First, for the end may start the next request.
        if let easy = transfer.releaseHandle(after: result), idle.count < Self.pooledHandles {
            easy.reset()
            idle.append(easy)
        }
        transfer.ended(result, wasClosedWhileIdle: wasClosedWhileIdle)
    }

    private func takeOut(_ transfer: Transfer, of handle: MultiHandle) {
        guard transfer.isAdded else { return }
        inside(handle) { transfer.remove(from: handle) }
    }

    private func discard() {
        let transfers = releasing
        releasing.removeAll(keepingCapacity: true)
        for transfer in transfers {
            guard let handle = transfer.multi else { continue }
            // The connection of a stream of HTTP/2, if no other uses it: nothing else would close it, and an upstream whose
            // writes are held up need not read that the stream was reset.
            transfer.forbidReuse()
            takeOut(transfer, of: handle)
            transfer.discarded()
        }
    }

    private func leastLoaded(multiplexing: Bool) throws -> MultiHandle {
        let fit = handles.lazy.filter { $0.multiplexes == multiplexing }
        if let handle = fit.last(where: { $0.active < Self.streamsPerHandle }) { return handle }
        if fit.count < Self.maximumHandles {
            let handle = try MultiHandle(
                tag: handles.count, loop: self, multiplexes: multiplexing, maximumIdle: Self.idleConnectionsPerHandle)
            handles.append(handle)
            return handle
        }
        guard let handle = fit.min(by: { $0.active < $1.active }) else {
            preconditionFailure("there is a handle once the most of them have been made")
        }
        return handle
    }

    // MARK: The timer

    private func awaitTimer(at deadline: Instant) {
        alarm.ring(by: deadline) { [self] in
            beginTurn()
            for handle in handles where handle.deadline <= now { due.append(handle) }
            endTurn()
            if let next = handles.map(\.deadline).min() { awaitTimer(at: next) }
        }
    }
}
