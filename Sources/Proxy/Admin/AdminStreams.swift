import Downstream
import Flow
import NIOCore
import NIOHTTP1
import Observability

/// Answers requests of operators that name one stream, by its handle; lives on the admin listener's loop.
final class AdminStreams {
    static let path = "/v1/admin/streams/"

    private let eventLoop: any EventLoop
    private let shared: Shared
    private let outbox: Outbox

    init(on eventLoop: any EventLoop, shared: Shared, outbox: Outbox) {
        (self.eventLoop, self.shared, self.outbox) = (eventLoop, shared, outbox)
    }

    /// Tells how the stream stands, and why its upstream has had to wait lately.
    func look(_ request: Request, _ writer: any ConnectionResponse) {
        reach(request, writer) { _ in }
    }

    /// Ends the stream at its last whole record, and tells how it stood before.
    func end(_ request: Request, _ writer: any ConnectionResponse) {
        reach(request, writer) { driver in
            driver.end(.cancelled, problem: .endedByOperator)
            driver.worker.turnEnded()
        }
    }

    /// Goes to the stream on its own loop, and answers with how it stood there.
    private func reach(
        _ request: Request, _ writer: any ConnectionResponse, _ act: @escaping @Sendable (StreamDriver) -> Void
    ) {
        guard let handle = StreamHandle(request.path.dropFirst(Self.path.count)) else {
            return refuse(.noSuchStream, request, writer)
        }
        let waiting = NIOLoopBound((self, request, writer), eventLoop: eventLoop)
        shared.roster.report(of: handle, on: eventLoop, act).whenComplete { result in
            let (streams, request, writer) = waiting.value
            switch result {
            case .success(let report?): streams.answer(report, writer)
            case .success(nil): streams.refuse(.noSuchStream, request, writer)
            case .failure: streams.refuse(.unavailable(.loopSilent), request, writer)
            }
            streams.outbox.turnEnded()
        }
    }

    private func answer(_ report: StreamReport, _ writer: any ConnectionResponse) {
        respond(.ok, "application/json", String(decoding: report.json, as: UTF8.self), writer)
    }

    private func refuse(_ problem: Problem, _ request: Request, _ writer: any ConnectionResponse) {
        _ = shared.answer(problem, to: request, response: writer)
    }

    private func respond(_ status: HTTPResponseStatus, _ type: String, _ text: String, _ writer: any ConnectionResponse)
    {
        writer.respond(
            status,
            headers: [
                "Content-Type": type, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
                "Date": shared.date.text(at: Timestamp.now()),
            ], text: text + "\n")
    }
}
