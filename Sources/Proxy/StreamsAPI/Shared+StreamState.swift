import Downstream
import Flow
import NIOHTTP1
import Observability

extension Shared {
    /// Answers with a stream's state: 200, or 202 and where to fetch it as long as it has no response.
    func answer(
        _ state: StreamState, retryAfter: Duration? = nil, isPromise: Bool = false, response: any ClientResponse
    ) {
        var answer = OwnAnswer(
            retryAfter == nil ? .ok : .accepted, type: "application/json", text: state.json + "\n")
        answer.headers.add(name: "X-Stream-Id", value: state.id.text)
        if let retryAfter {
            answer.headers.add(name: "Retry-After", value: String(retryAfter.retryAfterSeconds))
            answer.headers.add(name: "Location", value: served.streamsAddress?.location(of: state.id) ?? "")
        }
        if isPromise {
            answer.headers.add(name: "Preference-Applied", value: "respond-async")
            answer.headers.add(name: "Vary", value: "Prefer")
        }
        answer.send(to: response, date: date.text(at: .now()))
    }
}
