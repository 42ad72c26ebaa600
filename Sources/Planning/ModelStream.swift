import Flow

/// One stream of a plan: the machines of the proxy between a modelled upstream and a modelled client.
///
/// Each event returns when the stream has to be called next. Times are those of the event queue of its ``ModelClient``.
final class ModelStream {
    /// What happens to a stream by itself.
    enum Event: Equatable { case arrival, due, room, deadline }

    private let recordBytes: Int
    private let chunk: [UInt8]
    private let readBytes: Int
    private(set) var machine: StreamMachine
    private var pacer: Pacer
    private var queue: StreamQueue
    private var upstream: ModelUpstream
    private var socket: ModelSocket
    private var isPaused = false
    private var isArrivalDue = true
    /// How the stream ended; `nil` while it is open.
    private(set) var outcome: Outcome?
    private(set) var work = Work()
    /// When something happened first.
    private(set) var marks: [Mark: Instant] = [:]
    /// Adds an event.
    private let schedule: (Event, Instant) -> Void
    /// Draws from the budget of the client.
    private let draw: (Int, Instant) -> RecordBudget.Lease?

    /// What operators want to know of a stream that is not ended by it.
    enum Mark: Hashable, CaseIterable { case waitsForPace, waitsForBudget, bufferFull, dropped }

    init(
        _ load: Load, isSlow: Bool, terms: Terms, route: PlannedRoute, sharesBudget: Bool, at now: Instant,
        draw: @escaping (Int, Instant) -> RecordBudget.Lease?, schedule: @escaping (Event, Instant) -> Void
    ) {
        recordBytes = load.record.bytes
        chunk = Array(repeating: UInt8(ascii: "x"), count: recordBytes - 1) + [UInt8(ascii: "\n")]
        readBytes = route.readBytes(under: terms)
        machine = StreamMachine(limits: route.machineLimits, at: now)
        pacer = Pacer(pace: terms.pace, burst: terms.burst, sharesBudget: sharesBudget, at: now)
        queue = StreamQueue(
            framer: RecordFormat.ndjson.framer,
            bounds: .init(records: terms.buffer, bytes: terms.maximumBytes, record: terms.maximumRecordBytes),
            overflow: route.overflow)
        upstream = ModelUpstream(rate: load.rate, mostWaiting: route.receiveBytes / recordBytes, at: now)
        socket = ModelSocket(
            capacity: isSlow ? Double(load.sockets.bytes) : .infinity,
            readRate: isSlow ? load.slowRate * Double(recordBytes) : .infinity, at: now)
        (self.draw, self.schedule) = (draw, schedule)
        machine.headArrived(at: now)
        schedule(.arrival, now)
        schedule(.deadline, machine.nextDeadline)
    }

    var isOpen: Bool { outcome == nil }

    /// What it holds now.
    var level: Work {
        guard isOpen else { return Work() }
        return Work(
            buffered: queue.storedBytes + socket.pending, allocated: queue.allocatedBytes + socket.pending,
            openStreams: 1,
            pausedStreams: isPaused ? 1 : 0)
    }

    func handle(_ event: Event, at now: Instant) {
        guard isOpen else { return }
        switch event {
        case .arrival:
            isArrivalDue = false
            read(at: now)
        case .due where now == due:
            work.timers += 1
            pump(at: now)
        case .due: break  // another timer was set since
        case .room: tookAll(at: now)
        case .deadline: deadlinePassed(at: now)
        }
    }

    // MARK: Upstream

    /// Reads what the upstream has, as much as one read takes at a time.
    private func read(at now: Instant) {
        while isOpen, !isPaused, case let waiting = upstream.available(at: now), waiting > 0 {
            let records = min(waiting, max(1, readBytes / recordBytes))
            upstream.take(records)
            work.reads += 1
            for _ in 0..<records { push(at: now) }
            flush(at: now)
            perform(machine.chunkArrived(at: now, level: queue.level), at: now)
            if pacer.needsLease(at: now) { pump(at: now) } else { waitForPace(at: now) }
        }
        readAgain(at: max(upstream.next, now.advanced(byNanoseconds: 1)))
    }

    private func readAgain(at time: Instant) {
        guard isOpen, !isPaused, !isArrivalDue else { return }
        isArrivalDue = true
        schedule(.arrival, time)
    }

    /// Bytes of one read that are sent at once.
    private var unwritten = 0

    private func push(at now: Instant) {
        let credit = hasRoom ? pacer.available(at: now) : 0
        let run = chunk.withUnsafeBytes { chunk in
            (try? queue.push(chunk, credit: credit, limit: room) { unwritten += $0.count })
                ?? RecordFramer.Run(records: 0, bytes: 0)
        }
        took(run, at: now)
        if queue.lost > 0 { mark(.dropped, at: now) }
    }

    private func took(_ run: RecordFramer.Run, at now: Instant) {
        pacer.take(run.records, at: now, leavesWaiting: queue.records > 0)
        work.records += run.records
        work.bytes += run.bytes
    }

    // MARK: Client

    private var hasRoom: Bool { socket.pending == 0 }
    private var room: Int { hasRoom ? max(0, Delivery.largestBatch.bytes - unwritten) : 0 }

    private func pump(at now: Instant) {
        while isOpen, queue.hasOutput {
            if hasRoom, room == 0 { flush(at: now) }
            guard isOpen, room > 0 else { break }
            if pacer.needsLease(at: now), queue.records > 0 {
                guard let lease = draw(queue.records, now) else {
                    pacer.leaveBudget()
                    continue
                }
                pacer.lease(lease.records, notBefore: lease.notBefore)
                if lease.notBefore > now { mark(.waitsForBudget, at: now) }
            }
            let credit = pacer.available(at: now)
            guard let run = try? queue.take(credit: credit, limit: room, sink: { unwritten += $0.count }),
                run.bytes > 0
            else { break }
            took(run, at: now)
        }
        flush(at: now)
        perform(machine.recordsSent(level: queue.level, at: now), at: now)
        waitForPace(at: now)
    }

    private func flush(at now: Instant) {
        guard unwritten > 0 else { return }
        work.writes += 1
        let room = socket.write(unwritten, at: now)
        unwritten = 0
        guard let room else { return }
        queue.pendingBytes = socket.pending
        perform(machine.clientStopped(level: queue.level, at: now), at: now)
        if room < .distantFuture { schedule(.room, room) }
        schedule(.deadline, machine.nextDeadline)
    }

    private func tookAll(at now: Instant) {
        guard socket.pending > 0 else { return }
        socket.tookAll(at: now)
        queue.pendingBytes = 0
        machine.clientTook()
        perform(machine.recordsSent(level: queue.level, at: now), at: now)
        pump(at: now)
    }

    /// The timer of the pace that is set.
    private var due = Instant.distantPast

    private func waitForPace(at now: Instant) {
        guard isOpen, hasRoom else { return }
        machine.clientCaughtUp()
        guard queue.records > 0, !pacer.isUnlimited, case let next = pacer.nextDue, next < .distantFuture else {
            return
        }
        mark(.waitsForPace, at: now)
        guard next != due || next <= now else { return }
        due = next
        schedule(.due, max(next, now))
    }

    // MARK: Decisions

    private func deadlinePassed(at now: Instant) {
        if machine.isBlocked { machine.clientLooked(taken: socket.taken(at: now), at: now) }
        perform(machine.deadlinePassed(at: now), at: now)
        if isOpen { schedule(.deadline, max(machine.nextDeadline, now + .milliseconds(1))) }
    }

    private func perform(_ action: StreamMachine.Action, at now: Instant) {
        switch action {
        case .none, .detach, .tryAnother, .endResponse: break
        case .pauseUpstream:
            isPaused = true
            mark(.bufferFull, at: now)
            schedule(.deadline, machine.nextDeadline)
        case .resumeUpstream:
            isPaused = false
            readAgain(at: now)
        case .cancelUpstream: outcome = machine.comingEnd ?? .upstreamTimeout
        case .finish(let end): outcome = end
        }
    }

    private func mark(_ mark: Mark, at now: Instant) { if marks[mark] == nil { marks[mark] = now } }
}
