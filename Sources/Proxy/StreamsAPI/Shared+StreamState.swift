import Downstream
import Flow
import NIOHTTP1
import Observability

extension Shared {
    /// Answers with a stream's state: 200, or 202 and where to fetch it as long as it has no response.
    func answer(
        _ state: StreamState, retryAfter: Duration? = nil, isPromise: Bool = false, response: any ClientResponse
    ) {
        var headers = HTTPHeaders([
            ("Content-Type", "application/json"), ("Cache-Control", "no-store"),
            ("Date", date.text(at: Timestamp.now())), ("X-Stream-Id", state.id.text),
        ])
        if let retryAfter {
            headers.add(name: "Retry-After", value: String(retryAfter.retryAfterSeconds))
            headers.add(name: "Location", value: served.streamsAddress?.location(of: state.id) ?? "")
        }
        if isPromise {
            headers.add(name: "Preference-Applied", value: "respond-async")
            headers.add(name: "Vary", value: "Prefer")
        }
        response.respond(retryAfter == nil ? .ok : .accepted, headers: headers, text: state.json + "\n")
    }
}
