import Downstream
import Flow
import NIOHTTP1
import Settings
import Upstream

/// A stream's request to an upstream: passes the request's body on, and the response to the ``Stream``.
///
/// One object for all attempts, of which one runs at a time.
final class UpstreamExchange {
    private let host: any StreamHost
    /// Owns this, and cancels it before its end.
    ///
    /// A call that may end the stream on the way reads it once, before that.
    unowned var stream: Stream?
    private var transfer: (any UpstreamTransfer)?
    /// Of the route; `nil` before the first attempt.
    private var rules: TrailerRules?
    private var requestBody: RepeatableBody
    /// Whether an upstream may have got a part of the request.
    private(set) var wasSent = false
    /// Fields that follow the response's body.
    private(set) var trailers = HTTPHeaders()
    /// Why there is no complete response.
    private(set) var error: UpstreamError?
    /// Looks at the response's records; `nil` if the route requires nothing of them.
    var watch: RecordWatch?
    /// The begin of a response that is not passed on before its first record.
    var withheld: WithheldHead?

    init(on host: any StreamHost, body: RepeatableBody) { (self.host, requestBody) = (host, body) }

    /// The request's body, until the rest is not needed; `nil` for a request without one.
    var body: RequestBody? { requestBody.source }

    var isRunning: Bool { transfer != nil }

    /// Whether another attempt can send the request's body from its beginning.
    var canRepeatBody: Bool { requestBody.isWhole }

    /// The bytes of the request and of the response that are kept here.
    var heldBytes: Int { (withheld?.bytes.count ?? 0) + (watch?.heldBytes ?? 0) + requestBody.memory }

    /// Makes an attempt ready.
    ///
    /// - Returns: Whether there is one; if not, ``error`` has the reason.
    func prepare(_ request: StreamRequest, at upstream: RouteUpstream) -> Bool {
        error = nil
        rules = request.route.trailerRules
        watch = nil
        withheld = nil
        requestBody.rewind()
        do {
            transfer = try host.makeTransfer(for: request, at: upstream, body: body, delegate: self)
        } catch {
            self.error = .unprepared(error)
            return false
        }
        let settings = request.route.settings
        // Without an effect after the first attempt: the body continues.
        body?.stream(to: self, upTo: settings.maximumBodyBytes, idle: settings.timeouts.body)
        return true
    }

    /// Joins the streams that share a request.
    func join(
        _ request: StreamRequest, by key: SharingKey, at join: JoinRequest, as id: StreamId
    ) throws(JoinError) {
        rules = request.route.trailerRules
        transfer = try host.joinPull(for: request, by: key, at: join, as: id, delegate: self)
    }

    /// Sends the request; its end may be reported before this returns.
    func start() { transfer?.start() }

    func pause() { transfer?.pause() }

    func resume() { transfer?.resume() }

    /// The response is not what the route requires.
    func failed(_ error: UpstreamError) { self.error = error }

    /// The response is passed on: there is no further attempt.
    func responseBegan() {
        let held = requestBody.memory
        requestBody.forget()
        if held > 0 { stream?.countBytes() }
    }

    /// Ends the attempt; nothing more of the upstream is reported.
    func cancel() {
        cancelAttempt()
        endBody()
    }

    /// Ends the attempt, and keeps the request's body for another one.
    func cancelAttempt() {
        attemptEnded()
        transfer?.cancel()
        transfer = nil
    }

    /// No more of the request's body is sent.
    func endBody() {
        body?.cancel()
        requestBody.end()
    }

    private func attemptEnded() { wasSent = wasSent || transfer?.wasSent ?? false }
}

// MARK: - The response

extension UpstreamExchange: TransferDelegate {
    func transferInterim(_ head: UpstreamResponseHead) { stream?.interimArrived(head) }

    func transferHead(_ head: consuming UpstreamResponseHead) { stream?.headArrived(head) }

    func transferBytes(_ bytes: UnsafeRawBufferPointer) { stream?.bytesArrived(bytes) }

    func transferTrailers(_ trailers: HTTPHeaders) { self.trailers = rules?.ofResponse(trailers) ?? [:] }

    func transferEnded(_ end: TransferEnd) {
        let stream = stream
        attemptEnded()
        transfer = nil
        // The stream decides about the body: it may require more of the response, and send the request again.
        if case .failed(let error) = end { self.error = error }
        stream?.upstreamEnded(error)
    }
}

// MARK: - A shared response

extension UpstreamExchange: SharedTransferDelegate {
    var recordRoom: Int { stream?.pipe.recordRoom ?? 1 }

    var isUnread: Bool { stream?.machine.isBehind ?? false }

    func transferIsShared(from upstream: String) { stream?.joined(upstream) }

    func transferRecords(_ records: SharedLog.Slice, isLast: Bool) { stream?.recordsArrived(records, isLast: isLast) }

    func sharingRefused(_ cause: SharingRefusal) {
        transfer = nil
        stream?.continueAlone(because: cause)
    }

    func recordsLost(_ count: Int, after position: Int) { stream?.recordsLost(count, after: position) }

    func readerLagged() {
        transfer = nil
        stream?.end(.slowConsumer)
    }

    func cannotJoin() {
        transfer = nil
        stream?.end(.refused, problem: .gone())
    }
}

// MARK: - The request's body

extension UpstreamExchange: RequestBodyDelegate {
    /// An upstream that could take more, and gets none, waits for the client: its own clocks stop.
    func transferBody(into target: UnsafeMutableRawBufferPointer) -> BodyPiece {
        guard let stream, let body else { return .brokenOff }
        let held = requestBody.memory
        let replayed = requestBody.replay(into: target)
        guard replayed == 0 else {
            if requestBody.memory != held { stream.countBytes() }
            stream.requestTaken()
            return .bytes(replayed)
        }
        guard let count = body.take(into: target) else {
            stream.requestAwaited()
            return .nothingYet
        }
        requestBody.took(UnsafeRawBufferPointer(rebasing: target[..<count]))
        if requestBody.memory != held { stream.countBytes() }
        stream.requestTaken()
        return count > 0 ? .bytes(count) : .end
    }

    func transferBodyTrailers() -> HTTPHeaders { body.flatMap { rules?.ofRequest($0.trailers) } ?? [:] }

    func bodyArrived() { transfer?.bodyArrived() }

    func bodyFailed(_ failure: RequestBody.Failure) {
        requestBody.end()
        stream?.requestFailed(failure)
    }
}
