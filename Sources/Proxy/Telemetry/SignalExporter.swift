import Downstream
import Flow
import NIOCore
import NIOHTTP1
import OTLP
import Observability
import Upstream

/// Exports one signal: performs what its ``ExportCycle`` decides.
final class SignalExporter {
    /// The most that is read of a response.
    private static let longestResponse = 64 << 10

    private let export: TelemetryLoop.Export
    private let loop: ExportLoop
    /// Called when a drain is complete.
    private var ended: (() -> Void)?
    private var cycle: ExportCycle
    private lazy var timer = LoopTimer(target: self)
    private var body: ExportBody?
    /// Bytes of the body that the transfer has taken.
    private var taken = 0
    private var transfer: Transfer?
    private var head: UpstreamResponseHead?
    private var response: [UInt8] = []

    init(_ export: TelemetryLoop.Export, on loop: ExportLoop) {
        (self.export, self.loop) = (export, loop)
        cycle = ExportCycle(every: export.interval, at: loop.clock())
    }

    func start() { loop.timers.set(timer, at: cycle.deadline) }

    /// Exports what is left, until `end` at the latest; `ended` is called once.
    func drain(until end: Instant, _ ended: @escaping () -> Void) {
        self.ended = ended
        perform(cycle.drain(until: end, at: loop.clock()))
    }

    private func perform(_ action: ExportCycle.Action) {
        switch action {
        case .none: break
        case .collect: export.source.collect { [weak self] body in self?.collected(body) }
        case .send: send()
        case .delivered: forget(wasDelivered: true)
        case .lose: forget(wasDelivered: false)
        }
        // Performing an action may have performed the next one.
        guard cycle.hasEnded else { return loop.timers.set(timer, at: cycle.deadline) }
        loop.timers.cancel(timer)
        cancel()
        ended?()
        ended = nil
    }

    private func collected(_ body: ExportBody?) {
        var body = body
        if export.destination.compresses { body?.compress() }
        let action = cycle.collected(isEmpty: body == nil, hasMore: body?.hasMore ?? false, at: loop.clock())
        if action == .send { self.body = body } else if let body { export.source.ended(body, wasDelivered: false) }
        perform(action)
    }

    private func forget(wasDelivered: Bool) {
        guard let body else { return }
        self.body = nil
        export.source.ended(body, wasDelivered: wasDelivered)
    }

    // MARK: A request

    private func send() {
        guard let body else { return }
        (taken, response, head) = (0, [], nil)
        do {
            let transfer = try loop.upstream.makeTransfer(
                export.destination.request(length: body.bytes.count), at: export.destination.origin, delegate: self)
            export.destination.writeHeader(to: &transfer.headers, for: body)
            self.transfer = transfer
            transfer.start()
        } catch {
            answered(.retryable(after: nil), UpstreamError.unprepared(error).failure.text)
        }
    }

    private func cancel() {
        transfer?.cancel()
        transfer = nil
    }

    /// The response ended, or enough of it has arrived.
    private func answered() {
        guard let head else { return answered(.retryable(after: nil), "no response") }
        let answer = ExportAnswer(status: head.status, retryAfter: head.headers["retry-after"], at: .now())
        if answer == .accepted, let partial = PartialSuccess(of: export.destination.signal, in: response) {
            body?.wasRejected(partial)
            export.reportPartial(partial)
        }
        answered(answer, "status \(head.status)")
    }

    private func answered(_ answer: ExportAnswer, _ reason: String) {
        cancel()
        response = []
        switch answer {
        case .accepted: export.report(.accepted, reason)
        case .retryable: export.report(.failed, reason)
        case .rejected: export.report(.rejected, reason)
        }
        perform(cycle.answered(answer, jitter: Double.random(in: 0...1), at: loop.clock()))
    }
}

extension SignalExporter: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        if transfer != nil {
            cancel()
            export.report(.failed, "no response in time")
        }
        perform(cycle.deadlinePassed(at: now))
    }
}

extension SignalExporter: TransferDelegate {
    func transferHead(_ head: UpstreamResponseHead) { self.head = head }

    func transferBytes(_ bytes: UnsafeRawBufferPointer) {
        response += bytes
        if response.count > Self.longestResponse { answered() }
    }

    func transferEnded(_ end: TransferEnd) {
        transfer = nil
        switch end {
        case .complete: answered()
        case .failed(let error): answered(.retryable(after: nil), error.failure.text)
        }
    }

    func transferBody(into target: UnsafeMutableRawBufferPointer) -> BodyPiece {
        guard let bytes = body?.bytes, taken < bytes.count else { return .end }
        let count = min(bytes.count - taken, target.count)
        bytes.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[taken..<taken + count])) }
        taken += count
        return .bytes(count)
    }
}
