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
