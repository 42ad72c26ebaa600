import Flow
import NIOHTTP1
import Settings

/// The request of a pull to an upstream, over all attempts.
struct PullExchange: ~Copyable {
    var permit: Permit?
    var transfer: (any UpstreamTransfer)?
    var attempts = 0
    /// When the last attempt began.
    var began: Instant

    init(_ permit: consuming Permit, at now: Instant) {
        self.permit = consume permit
        began = now
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

    /// The head has arrived, and is shared.
    mutating func begin(_ head: SharedHead, on route: ProxyRoute) {
        let settings = route.settings, framer = head.format.framer
        self.head = head
        cutter = RecordCutter(
            framer: framer, maximum: settings.policy.maximumRecordBytes,
            keys: settings.shared?.join == .keys ? route.keys.map { RecordTextKeys($0, in: framer) } : nil)
    }
}
