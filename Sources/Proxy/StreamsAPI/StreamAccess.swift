import Downstream
import Flow
import NIOHTTP1

/// A request for a stream, on the stream's loop.
struct StreamAccess {
    let host: any StreamsHost
    let request: Request
    let client: String
    let response: any ClientResponse

    /// GET: attaches a client that requests the stream's records, and returns the stream's state to others.
    func look(_ stream: Stream?) {
        guard let stream else { return refuse(with: .noSuchStream) }
        let state = StreamState(of: stream, at: host.now())
        switch state.status {
        case .waiting, .pending: answer(state, retryAfter: .seconds(1))
        case .ready, .failed:
            guard request.head.method == .GET, stream.isWanted(by: request.head.headers) else { return answer(state) }
            stream.attach(response)
        case .resumable, .held, .slow, .paused, .flowing, .ended: answer(state)
        }
    }

    func cancel(_ stream: Stream?) {
        guard let stream else { return refuse(with: .noSuchStream) }
        stream.end(.cancelled)
        answer(StreamState(of: stream, at: host.now()))
    }

    func apply(_ feedback: Feedback, to stream: Stream?) {
        guard let stream else { return refuse(with: .noSuchStream) }
        stream.apply(feedback)
        answer(StreamState(of: stream, at: host.now()))
    }

    /// Responds with a problem; `route`, for which it is counted, is `nil` if the request was for the stream's address.
    func refuse(with problem: Problem, route: String? = nil) {
        host.requestLog.refuse(request, with: problem, client: client, route: route, response: response)
    }

    private func answer(_ state: StreamState, retryAfter: Duration? = nil) {
        let location = host.location(of: state.id)
        let answer = retryAfter.map { OwnAnswer(state, fetchedFrom: location, retryAfter: $0) } ?? OwnAnswer(state)
        answer.send(to: response, for: request, date: host.dateText)
        host.requestLog.logOwnAnswer(
            request, status: retryAfter == nil ? 200 : 202, bytes: state.json.utf8.count + 1, client: client)
    }
}
