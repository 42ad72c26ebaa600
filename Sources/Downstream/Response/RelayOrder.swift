import Flow
import NIOCore
import NIOHTTP1

/// What a ``RelayedResponse`` orders from the connection's loop.
enum RelayOrder: Sendable {
    case closeAfterwards
    case expectPace(Bool)
    case awaitAcknowledgement
    case interim(HTTPResponseStatus, HTTPHeaders)
    case head(HTTPResponseStatus, HTTPHeaders, ResponseBodyLength)
    case bytes(ByteBuffer)
    case end(HTTPHeaders)
    case breakOff
    case abort
}

/// What the connection's loop reports to a ``RelayedResponse``.
enum RelayReport: Sendable {
    /// The client took the batch in flight; another may follow.
    case taken
    /// The client does not take it; with the bytes that it has taken.
    case blocked(ByteCount)
    /// The bytes that the client has taken, as requested.
    case progress(ByteCount)
    case handedOver
    /// The last report.
    case finished, closed, failed
}
