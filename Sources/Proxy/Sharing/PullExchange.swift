import Flow
import NIOHTTP1

/// The request of a pull to an upstream, over all attempts.
struct PullExchange: ~Copyable {
    var permit: Permit?
    var transfer: (any UpstreamTransfer)?
    var attempts = 0
    var isPaused = false
    var lastHeard: Instant

    init(_ permit: consuming Permit, at now: Instant) {
        self.permit = consume permit
        lastHeard = now
    }
}

/// The response as far as it has arrived.
struct PullResponse: ~Copyable {
    var cutter: RecordCutter?
    /// Whether all that has arrived was cut into records.
    var isCut = true
    var head: SharedHead?
    var trailers = HTTPHeaders()
    /// What is reported to a feed that joins after the end.
    var last: PullEvent?
}
