/// Why a stream was not admitted.
package enum AdmissionError: Error, Equatable, Sendable {
    /// The client starts streams faster than the route allows; it will be served after `retryAfter`.
    case tooManyStarts(rate: Rate, retryAfter: Duration)
    case tooManyStreamsOfClient(limit: Int)
    case tooManyStreamsOfRoute(limit: Int)
    /// As many streams and requests as the upstream may carry are open.
    case upstreamBusy(limit: Int)

    /// How long the client should wait.
    ///
    /// For starts it is exact. When an open stream will end nobody knows (it may last hours), and a guess from past
    /// streams would look exact and be wrong: all the other cases say one second, the least that `Retry-After` can.
    package var retryAfter: Duration {
        switch self {
        case .tooManyStarts(_, let retryAfter): retryAfter
        case .tooManyStreamsOfClient, .tooManyStreamsOfRoute, .upstreamBusy: .seconds(1)
        }
    }
}
