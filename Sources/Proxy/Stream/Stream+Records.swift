import Flow
import JSONPointer
import Observability
import Settings
import Upstream

// What a route requires of an upstream's records: a first one in time, and one that ends the stream.

extension Stream {
    /// Whether the response's head is kept back until the first record.
    private var withholdsHead: Bool { upstream.watch != nil && machine.limits.firstRecord != nil }

    /// Keeps the head back if the route requires a first record in time.
    ///
    /// - Returns: Whether it does; then ``releaseHead(at:)`` passes it on.
    func withholds(_ head: UpstreamResponseHead, at now: Instant) -> Bool {
        guard withholdsHead else { return false }
        upstream.withheld = WithheldHead(head)
        machine.headWithheld(at: now)
        setDeadline()
        return true
    }

    /// Keeps back what follows a withheld head, and releases both with the first record.
    ///
    /// - Returns: Whether the bytes were kept back, or passed on with what was kept before.
    func withholds(_ bytes: UnsafeRawBufferPointer, at now: Instant) -> Bool {
        guard upstream.withheld != nil else { return false }
        upstream.withheld?.append(bytes)
        let isFull = upstream.withheld.map { $0.bytes.count > request.terms.maximumBytes.bytes } ?? false
        if isFull || upstream.watch?.records != 0 { releaseHead(at: now) } else { countBytes() }
        return true
    }

    /// Passes a withheld head on, and what followed it.
    func releaseHead(at now: Instant) {
        guard let withheld = upstream.withheld else { return }
        upstream.withheld = nil
        beginResponse(withheld.head, at: now)
        withheld.bytes.withUnsafeBytes { passOn($0, at: now) }
    }

    /// Counts the records in bytes that arrived.
    func watchRecords(in bytes: UnsafeRawBufferPointer, at now: Instant) {
        guard let before = upstream.watch?.records else { return }
        upstream.watch?.push(bytes)
        guard let after = upstream.watch?.records, after > before else { return }
        machine.recordArrived(at: now)
        // The clock for the next record runs from the first one on; the timer is never later than its deadline after that.
        if before == 0 { setDeadline() }
    }

    /// Why a response that seems complete is not: the record that ends the stream has not arrived.
    func missingEnd() -> UpstreamError? {
        upstream.watch?.finish()
        guard let isComplete = upstream.watch?.isComplete, !isComplete else { return nil }
        return .truncated("the stream ended without its end record")
    }

    /// The upstream sent no record in time, and the client has not been sent anything.
    func firstRecordIsLate(at now: Instant) {
        upstream.cancelAttempt()
        account.problem = .upstreamTimeout(.firstRecord)
        upstreamFailed(
            UpstreamFailure(.timeout, UpstreamTimeout.firstRecord.text(under: route.settings.timeouts)), at: now)
        guard !triesAnother(after: nil, at: now) else { return }
        upstream.withheld = nil
        perform(machine.upstreamEnded(.upstreamTimeout, at: now))
        keepFailure(at: now)
        pump(at: now)
    }
}

extension ProxyRoute {
    /// Whether it requires anything of an upstream's records.
    var requiresRecords: Bool {
        settings.timeouts.firstRecord != nil || settings.timeouts.betweenRecords != nil || settings.endRecord != nil
    }

    /// Watches the records of a stream.
    func recordWatch(of format: RecordFormat) -> RecordWatch {
        RecordWatch(
            framer: format.framer, maximum: settings.policy.maximumRecordBytes, end: endRecord(in: format.framer))
    }

    /// What the records of a stream count; `nil` if each counts as one.
    func recordWeights(of format: RecordFormat) -> RecordWeights? {
        guard let weight = settings.weight, let pointer = JSONPointer(weight.pointer) else { return nil }
        return RecordWeights(
            pointer, in: format.framer, standard: weight.standard, isCumulative: weight.isCumulative)
    }

    private func endRecord(in framer: RecordFramer) -> EndRecord? {
        switch settings.endRecord {
        case nil: nil
        case .data(let text): EndRecord(text: text, in: framer)
        case .pointer(let pointer, let value):
            JSONPointer(pointer).map { EndRecord(RecordTextKeys($0, in: framer), in: JSONPointer.keys(of: value)) }
        }
    }
}
