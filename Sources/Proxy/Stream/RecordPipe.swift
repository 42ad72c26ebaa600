import Downstream
import Flow
import Settings

/// The path of one stream's records from the upstream to the client: framed, queued, paced, written.
///
///     push(bytes) ──▶ StreamQueue ──▶ Pacer ──▶ ClientResponse
///                        ▲              ▲ pump(): the client has room, a record is due, the terms have changed
///                        └ ReplayBuffer ┘ for a client that comes back
///
/// The pipe holds the records and knows what may be sent. It does not decide about the stream: each call returns what was
/// sent and what is missing, which ``Stream`` reports to its `StreamMachine`. A response that is no stream passes through
/// it as well, without records.
final class RecordPipe {
    /// What one call has sent.
    struct Sent {
        var run = RecordFramer.Run(records: 0, bytes: 0)
        var stop = Stop.waiting
        /// Whether the client has room for more.
        var hasRoom = false
    }

    /// Why no more is sent.
    enum Stop: Equatable {
        /// The queue is empty, the client has no room, or no record is due.
        case waiting
        /// That many records were dropped before the next one, which the client has to learn first.
        case loss(records: Int)
        /// Up to that many records need a lease of the budget that the client's streams share.
        case lease(records: Int)
        /// The upstream's next record is too long to be sent.
        case failed(RecordFramer.Failure)
    }

    /// The client's response; `nil` while the stream has no client.
    private(set) var response: (any ClientResponse)?
    /// `nil` before the head, and if the response is no stream.
    private(set) var format: RecordFormat?
    /// What the client has requested since the terms were granted.
    var effective: EffectiveTerms
    var pacer: Pacer
    var queue: StreamQueue
    /// What was sent last, if the client may come back for it.
    var replay: ReplayBuffer?
    /// Whether the upstream is read on without a client.
    var isReadOn = false
    private(set) var heartbeat: Heartbeat?
    /// Whether each loss is reported to the client before the next record.
    private(set) var reportsLosses = false
    /// Losses before the records were queued, and those to be reported again; empty unless they are reported.
    var losses = LossMarks()
    /// Records of the stream that were sent; counted for `losses`.
    var delivered = 0
    /// What the records count; `nil` if each counts as one.
    var weights: RecordWeights?
    /// Bytes that the client's socket has not taken, when they were last counted.
    private(set) var pendingBytes = 0

    /// A pipe for a response whose head has not arrived: what is pushed passes unframed, bounded in bytes alone.
    init(terms: Terms, policy: Policy, response: any ClientResponse, at now: Instant) {
        self.response = response
        effective = EffectiveTerms(granted: terms, policy: policy)
        pacer = Pacer(pace: .unlimited, burst: 1, at: now)
        queue = StreamQueue(
            framer: .opaque,
            bounds: .init(records: .max, bytes: terms.maximumBytes, record: terms.maximumRecordBytes))
    }

    // MARK: Records

    /// Takes the next bytes of the upstream: sends what may be sent now, and queues the rest.
    func push(_ bytes: UnsafeRawBufferPointer, at now: Instant) -> Sent {
        guard weights == nil, !pacer.isSpreading else { return pushThroughQueue(bytes, at: now) }
        let room = room
        var sent = Sent(hasRoom: room > 0)
        do throws(RecordFramer.Failure) {
            sent.run = try queue.push(bytes, credit: room > 0 ? credit(at: now) : 0, limit: room) { write($0) }
            count(sent.run, at: now)
        } catch {
            sent.stop = .failed(error)
        }
        return sent
    }

    /// Records that a push can take within the granted number; any number if they are sent at once, or others are dropped.
    var recordRoom: Int {
        guard !pacer.isUnlimited || queue.records > 0 || room == 0 else { return .max }
        let free = queue.bounds.records - queue.records
        return free > 0 ? free : queue.isFull ? 1 : .max
    }

    /// Whether ``pump(isLast:at:)`` has to follow a push: for a lease and its settlement, or for the notice of a loss.
    func needsPump(at now: Instant) -> Bool {
        pacer.needsLease(at: now) || pacer.isUnsettled || queue.lossAhead > 0 || !losses.isEmpty
    }

    /// Sends queued records as far as the pace and the client allow; `isLast` if the upstream has ended.
    func pump(isLast: Bool, at now: Instant) -> Sent {
        var sent = Sent()
        var room = room
        while queue.hasOutput, room > 0 {
            let isReleased = isLast && passesLast
            if pacer.needsLease(at: now), queue.records > 0, !isReleased {
                sent.stop = .lease(records: queue.records)
                break
            }
            // Together with the record after it: a notice for each chunk that arrives would be a stream of its own, unpaced.
            if reportedLoss > 0, pacer.available(at: now) > 0 || (isLast && queue.records == 0) || isReleased {
                sent.stop = .loss(records: reportedLoss)
                break
            }
            do throws(RecordFramer.Failure) {
                let run = try isReleased ? takeLast(limit: room, at: now) : take(limit: room, at: now)
                sent.run.records += run.records
                sent.run.bytes += run.bytes
                if run.bytes == 0 { break }
            } catch {
                sent.stop = .failed(error)
                break
            }
            room = self.room
        }
        sent.hasRoom = room > 0
        return sent
    }

    /// Sends queued records within a number of bytes.
    func take(limit: Int, at now: Instant) throws(RecordFramer.Failure) -> RecordFramer.Run {
        guard weights == nil else { return try takeWeighed(limit: limit, at: now) }
        let run = try queue.take(credit: credit(at: now), limit: limit) { write($0) }
        count(run, at: now)
        return run
    }

    /// When the next queued record is due; `nil` if none waits for its pace.
    var nextDue: Instant? { queue.records > 0 && !pacer.isUnlimited ? pacer.nextDue : nil }

    /// Records that were dropped before the next one, if the client is to learn that.
    var reportedLoss: Int { reportsLosses ? queue.lossAhead + losses.lossAhead(after: delivered) : 0 }

    /// Records that the pace permits, up to the next loss that has to be reported.
    func credit(at now: Instant) -> Int {
        let available = pacer.available(at: now)
        return losses.isEmpty ? available : min(available, losses.room(after: delivered))
    }

    /// Body bytes that may be written now.
    var room: Int { response?.room ?? 0 }

    func write(_ records: UnsafeRawBufferPointer) {
        response?.write(heartbeat?.body(records) ?? records)
        replay?.append(records, records: 0)
    }

    func count(_ run: RecordFramer.Run, at now: Instant) {
        pacer.take(run.records, at: now, leavesWaiting: queue.records > 0)
        wrote(run, at: now)
    }

    /// Follows what was sent, except for the pace.
    func wrote(_ run: RecordFramer.Run, at now: Instant) {
        delivered &+= run.records
        if run.bytes > 0 { heartbeat?.sent(at: now) }
        if replay != nil { keepForReplay(run.records) }
    }

    // MARK: The upstream

    /// The head has arrived, and is that of a stream.
    func begin(
        _ format: RecordFormat, on route: ProxyRoute, reportsLosses: Bool, sharesBudget: Bool, at now: Instant
    ) {
        let settings = route.settings, granted = effective.granted
        self.format = format
        self.reportsLosses = reportsLosses
        pacer.begin(
            pace: effective.terms.pace, burst: granted.burst, sharesBudget: sharesBudget, spread: settings.spread,
            at: now)
        let pending = queue.pendingBytes
        if settings.clientWait != nil { replay = ReplayBuffer(framer: format.framer) }
        queue = StreamQueue(
            framer: format.framer,
            bounds: .init(
                records: queueBound.records, bytes: ByteCount(queueBound.bytes), record: granted.maximumRecordBytes),
            overflow: settings.overflow, keys: route.keys.map { RecordTextKeys($0, in: format.framer) },
            reportsLosses: reportsLosses)
        queue.pendingBytes = pending
        weights = route.recordWeights(of: format)
        if format.heartbeat != nil { heartbeat = settings.heartbeat.map { Heartbeat(every: $0, at: now) } }
    }

    /// The upstream has sent everything: what is queued of an unfinished last record is one.
    func finish() throws(RecordFramer.Failure) { try queue.finish() }

    /// The upstream failed: half a record must not be taken for a whole one.
    func dropUnframed() { queue.dropUnframed() }

    // MARK: The client

    func attach(_ response: any ClientResponse, at now: Instant) {
        self.response = response
        stopReadingOn()
        heartbeat?.attached(at: now)
    }

    func detach() { response = nil }

    /// Sets the bytes that were written and that the client has not taken, and whether they take up room in the queue.
    func setPending(_ bytes: Int, countsTowardsBound: Bool) {
        pendingBytes = bytes
        queue.pendingBytes = countsTowardsBound ? bytes : 0
    }

    /// The loss before the next record was reported to the client.
    func lossReported() {
        replay?.lossReported(reportedLoss)
        queue.lossReported()
        losses.reported(after: delivered)
    }

    /// That many records are missing after record number `position` of the stream.
    func recordsLost(_ count: Int, after position: Int) {
        if reportsLosses { losses.add(count, after: position) }
    }

    /// Writes bytes of weir's own between two records.
    func writeOwn(_ text: String) -> ByteCount {
        var text = text
        text.withUTF8 { response?.write(UnsafeRawBufferPointer($0)) }
        return ByteCount(text.utf8.count)
    }

    /// The heartbeat's timer fired; only whole records have been sent, so that this is always between two of them.
    ///
    /// - Returns: The bytes that were written.
    func sendHeartbeat(at now: Instant) -> ByteCount {
        guard heartbeat?.timerFired(at: now, isReady: room > 0) ?? false, let bytes = format?.heartbeat else {
            return .zero
        }
        bytes.withUTF8Buffer { response?.write(UnsafeRawBufferPointer($0)) }
        return ByteCount(bytes.utf8CodeUnitCount)
    }
}
