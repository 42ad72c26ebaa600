import Downstream
import Flow
import HTTPText
import NIOCore
import NIOHTTP1
import Proxy

/// Handles requests of operators for one stream, named by its handle; confined to the admin listener's loop.
final class AdminStreams {
    static let path = "/v1/admin/streams/"
    static let listPath = "/v1/admin/streams"

    private let proxy: OperatorInterface
    private let eventLoop: any EventLoop
    private let outbox: Outbox

    init(of proxy: OperatorInterface, on eventLoop: any EventLoop, outbox: Outbox) {
        (self.proxy, self.eventLoop, self.outbox) = (proxy, eventLoop, outbox)
    }

    /// Reports on the stream.
    func look(_ request: Request, _ writer: any ConnectionResponse) {
        reach(request, writer) { [proxy, eventLoop] in proxy.report(of: $0, on: eventLoop) }
    }

    /// Ends the stream after its last whole record, and reports its state before that.
    func end(_ request: Request, _ writer: any ConnectionResponse) {
        reach(request, writer) { [proxy, eventLoop] in proxy.end($0, on: eventLoop) }
    }

    /// Lists the streams of the client that `?client=` names, and ends them if `isEnding`.
    func list(_ request: Request, _ writer: any ConnectionResponse, isEnding: Bool) {
        guard let client = QueryText.value(of: "client", in: request.head.uri), !client.isEmpty else {
            proxy.answer(.clientMissing, to: request, response: writer)
            return
        }
        let waiting = NIOLoopBound((request: request, writer: writer, outbox: outbox), eventLoop: eventLoop)
        proxy.streams(of: client, isEnding: isEnding, on: eventLoop).whenComplete { [proxy] result in
            let (request, writer, outbox) = waiting.value
            switch result {
            case .success(let found):
                let text = String(decoding: StreamJSON.list(found), as: UTF8.self) + "\n"
                proxy.send(OwnAnswer(.ok, type: "application/json", text: text).withoutSniffing, to: writer)
            case .failure: proxy.answer(.unavailable(.loopSilent), to: request, response: writer)
            }
            outbox.turnEnded()
        }
    }

    private func reach(
        _ request: Request, _ writer: any ConnectionResponse,
        _ act: (StreamHandle) -> EventLoopFuture<StreamReport?>
    ) {
        guard let handle = StreamHandle(request.path.dropFirst(Self.path.count)) else {
            proxy.answer(.noSuchStream, to: request, response: writer)
            return
        }
        let waiting = NIOLoopBound((request: request, writer: writer, outbox: outbox), eventLoop: eventLoop)
        act(handle).whenComplete { [proxy] result in
            let (request, writer, outbox) = waiting.value
            switch result {
            case .success(let report?):
                let text = String(decoding: StreamJSON.report(report), as: UTF8.self) + "\n"
                proxy.send(OwnAnswer(.ok, type: "application/json", text: text).withoutSniffing, to: writer)
            case .success(nil): proxy.answer(.noSuchStream, to: request, response: writer)
            case .failure: proxy.answer(.unavailable(.loopSilent), to: request, response: writer)
            }
            outbox.turnEnded()
        }
    }
}
