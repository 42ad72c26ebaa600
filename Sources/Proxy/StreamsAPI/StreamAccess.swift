import Downstream
import Flow
import NIOHTTP1

/// A request that names a stream, on the stream's own loop.
struct StreamAccess {
    let worker: Worker
    let request: Request
    let client: String
    let response: any ClientResponse

    /// GET: attaches a client that requests the stream's records, and answers every other one with its state.
    func look(_ driver: StreamDriver?) {
        guard let driver else { return refuse(with: .noSuchStream) }
        let state = driver.state(at: worker.clock())
        switch state.phase {
        case .waiting, .pending: answer(state, retryAfter: .seconds(1))
        case .ready, .failed:
            guard request.head.method == .GET, driver.isWanted(by: request) else { return answer(state) }
            driver.attach(response)
        case .streaming, .resumable, .ended: answer(state)
        }
    }

    func cancel(_ driver: StreamDriver?) {
        guard let driver else { return refuse(with: .noSuchStream) }
        driver.end(.cancelled)
        answer(driver.state(at: worker.clock()))
    }

    func apply(_ feedback: Feedback, to driver: StreamDriver?) {
        guard let driver else { return refuse(with: .noSuchStream) }
        driver.heard(feedback)
        answer(driver.state(at: worker.clock()))
    }

    /// Answers with a problem; `route`, for which it is counted, is `nil` if the request was for the stream's own address.
    func refuse(with problem: Problem, route: String? = nil) {
        worker.requestLog.refuse(request, with: problem, client: client, route: route, response: response)
    }

    private func answer(_ state: StreamState, retryAfter: Duration? = nil) {
        worker.shared.answer(state, retryAfter: retryAfter, response: response)
        worker.requestLog.logOwnAnswer(
            request, status: retryAfter == nil ? 200 : 202, bytes: state.json.utf8.count + 1, client: client)
    }
}
