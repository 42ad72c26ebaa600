import Flow
import NIOHTTP1

extension OwnAnswer {
    /// The answer with a stream's state: 200.
    init(_ state: StreamState) {
        self.init(.ok, type: "application/json", text: state.json + "\n")
        headers.add(name: "X-Stream-Id", value: state.id.text)
    }

    /// The answer with the state of a stream that has no response yet, and the address to fetch it from: 202.
    ///
    /// - Parameters:
    ///   - state: The stream's.
    ///   - location: The stream's address.
    ///   - retryAfter: When to fetch it.
    init(_ state: StreamState, fetchedFrom location: String?, retryAfter: Duration) {
        self.init(.accepted, type: "application/json", text: state.json + "\n")
        headers.add(name: "X-Stream-Id", value: state.id.text)
        headers.add(name: "Retry-After", value: String(retryAfter.retryAfterSeconds))
        headers.add(name: "Location", value: location ?? "")
    }

    /// The answer to a request whose response is promised for later (RFC 7240, section 4.1).
    init(_ state: StreamState, promisedAt location: String?, retryAfter: Duration) {
        self.init(state, fetchedFrom: location, retryAfter: retryAfter)
        headers.add(name: "Preference-Applied", value: "respond-async")
        headers.add(name: "Vary", value: "Prefer")
    }
}
