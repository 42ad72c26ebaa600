import Flow
import NIOHTTP1
import Upstream

/// The head of a shared response, kept for readers that come later.
struct SharedHead: Sendable {
    let response: UpstreamResponseHead
    let format: RecordFormat
    /// The name of the upstream that sends it.
    let upstream: String
}

extension Shareability.Head {
    /// What decides of a response's head.
    init(_ received: UpstreamResponseHead, isStream: Bool) {
        let headers = received.headers
        self.init(
            status: received.status, isStream: isStream, setsCookie: headers.contains(name: "set-cookie"),
            vary: headers.listed(in: "vary"), cacheControl: headers.listed(in: "cache-control"))
    }
}

/// The end of a shared response.
struct SharedEnd: Sendable {
    let end: TransferEnd
    let trailers: HTTPHeaders
}

/// What a pull reports to the feeds of all loops.
enum PullEvent: Sendable {
    /// The answer to a feed that joins: everything so far.
    case joined(SharedHead?, SharedLog)
    case head(SharedHead)
    case records([LogSegment])
    case ended(SharedEnd)
    /// The response must not be shared.
    case refused(SharingRefusal)
}
