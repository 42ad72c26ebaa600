package import NIOCore

/// The part of a ``RelayedResponse`` on the connection's loop: performs its orders and reports what the client takes.
///
/// The writer owns it until the response is over, then the other loop.
final class ResponseRelay {
    private let writer: any ConnectionResponse
    /// From its start to the last report.
    private var listener: NIOLoopBound<RelayedResponse>?
    private var lastReport: RelayReport?
    /// Whether the listener waits for ``RelayReport/taken``.
    private var isBatchOpen = false

    init(of writer: any ConnectionResponse) {
        self.writer = writer
        if !writer.isConnected { lastReport = .closed }
    }

    func begin(with listener: NIOLoopBound<RelayedResponse>) {
        self.listener = listener
        if let lastReport { sendLast(lastReport) }
    }

    func perform(_ orders: [RelayOrder]) {
        for order in orders { perform(order) }
        writer.turnEnded()
        // A batch that writes nothing, such as the body of an answer to HEAD, causes no event of the socket.
        reportTaken()
    }

    func reportProgress() { send(.progress(writer.bytesTaken)) }

    private func perform(_ order: RelayOrder) {
        switch order {
        case .closeAfterwards: writer.closeAfterwards()
        case .expectPace(let isMetered): writer.expectPace(isMetered)
        case .awaitAcknowledgement: writer.awaitAcknowledgement()
        case .interim(let status, let headers): writer.writeInterim(status, headers: headers)
        case .head(let status, let headers, let body):
            writer.writeHead(status, headers: headers, body: body)
            isBatchOpen = true
        case .bytes(let bytes):
            bytes.withUnsafeReadableBytes { writer.write($0) }
            isBatchOpen = true
        case .end(let trailers): writer.end(trailers: trailers)
        case .breakOff: writer.breakOff()
        case .abort: writer.abort()
        }
    }

    private func reportTaken() {
        guard isBatchOpen, writer.room > 0 else { return }
        isBatchOpen = false
        send(.taken)
    }

    private func send(_ report: RelayReport) {
        guard let listener else { return }
        listener.eventLoop.execute { listener.value.received(report) }
    }

    private func sendLast(_ report: RelayReport) {
        lastReport = report
        send(report)
        listener = nil
    }
}

extension ResponseRelay: ResponseWriterDelegate {
    func responseCaughtUp() { reportTaken() }

    func responseBlocked() { send(.blocked(writer.bytesTaken)) }

    func responseHandedOver() { send(.handedOver) }

    func responseFinished() { sendLast(.finished) }

    func responseClosed() { sendLast(.closed) }

    func responseFailed() { sendLast(.failed) }
}

/// A response on its way to another loop, where a ``RelayedResponse`` is made of it and must bring it to its end.
package struct ResponseHandOver: Sendable {
    let relay: NIOLoopBound<ResponseRelay>
    let canSendTrailers: Bool

    /// Takes the response over, on the writer's loop and before its head.
    ///
    /// The writer must not be used any more. Of one that has begun only the end can be taken over.
    package init(of writer: any ConnectionResponse, on eventLoop: any EventLoop) {
        if writer.hasHead { writer.abort() }
        let relay = ResponseRelay(of: writer)
        writer.delegate = relay
        self.relay = NIOLoopBound(relay, eventLoop: eventLoop)
        canSendTrailers = writer.canSendTrailers
    }
}
