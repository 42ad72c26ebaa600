import Flow
package import NIOCore
import NIOHTTP1

/// What a ``RelayedResponse`` has the real writer do.
enum RelayOrder: Sendable {
    case closeAfterwards
    case expectPace(Bool)
    case interim(HTTPResponseStatus, HTTPHeaders)
    case head(HTTPResponseStatus, HTTPHeaders, ResponseBodyLength)
    case bytes(ByteBuffer)
    case end(HTTPHeaders)
    case breakOff
    case abort
}

/// What the real writer has to say to its ``RelayedResponse``.
enum RelayReport: Sendable {
    /// All that was carried over; another batch may come.
    case taken
    case heldUp(ByteCount)
    /// The answer to a question.
    case progress(ByteCount)
    /// The last report.
    case finished, closed, failed
}

/// The connection's end of a response that is written on another loop: does what it is told, tells what becomes of it.
///
/// Owned by the writer until that is over, then by the other end.
final class ResponseRelay {
    private let writer: any ConnectionResponse
    /// The other end, from its begin to the last report.
    private var listener: NIOLoopBound<RelayedResponse>?
    private var lastReport: RelayReport?
    /// Whether the other end waits to hear that a batch was taken.
    private var isOwing = false

    init(of writer: any ConnectionResponse) {
        self.writer = writer
        if !writer.isConnected { lastReport = .closed }
    }

    func begin(with listener: NIOLoopBound<RelayedResponse>) {
        self.listener = listener
        if let lastReport { tellLast(lastReport) }
    }

    func perform(_ orders: [RelayOrder]) {
        for order in orders { perform(order) }
        writer.turnEnded()
        // Of what writes nothing, such as the body of an answer to HEAD, no socket tells.
        tellIfTaken()
    }

    func tellProgress() { tell(.progress(writer.bytesTaken)) }

    private func perform(_ order: RelayOrder) {
        switch order {
        case .closeAfterwards: writer.closeAfterwards()
        case .expectPace(let isMetered): writer.expectPace(isMetered)
        case .interim(let status, let headers): writer.writeInterim(status, headers: headers)
        case .head(let status, let headers, let body):
            writer.writeHead(status, headers: headers, body: body)
            isOwing = true
        case .bytes(let bytes):
            bytes.withUnsafeReadableBytes { writer.write($0) }
            isOwing = true
        case .end(let trailers): writer.end(trailers: trailers)
        case .breakOff: writer.breakOff()
        case .abort: writer.abort()
        }
    }

    private func tellIfTaken() {
        guard isOwing, writer.room > 0 else { return }
        isOwing = false
        tell(.taken)
    }

    private func tell(_ report: RelayReport) {
        guard let listener else { return }
        listener.eventLoop.execute { listener.value.hear(report) }
    }

    private func tellLast(_ report: RelayReport) {
        lastReport = report
        tell(report)
        listener = nil
    }
}

extension ResponseRelay: ResponseWriterDelegate {
    func responseHasRoom() { tellIfTaken() }

    func responseIsHeldUp() { tell(.heldUp(writer.bytesTaken)) }

    func responseFinished() { tellLast(.finished) }

    func responseClosed() { tellLast(.closed) }

    func responseFailed() { tellLast(.failed) }
}

/// A response on its way to another loop, where a ``RelayedResponse`` is made of it and must bring it to its end.
package struct ResponseHandOver: Sendable {
    let relay: NIOLoopBound<ResponseRelay>
    let canSendTrailers: Bool

    /// Takes the response over, on the writer's loop and before its head.
    ///
    /// The writer must not be used any more. Of one that has begun only the end can be handed over.
    package init(of writer: any ConnectionResponse, on eventLoop: any EventLoop) {
        if writer.hasHead { writer.abort() }
        let relay = ResponseRelay(of: writer)
        writer.delegate = relay
        self.relay = NIOLoopBound(relay, eventLoop: eventLoop)
        canSendTrailers = writer.canSendTrailers
    }
}
