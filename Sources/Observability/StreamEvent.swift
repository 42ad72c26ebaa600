/// An event of a request, for the operator: the access log and the metrics each switch over it.
package enum StreamEvent: Equatable, Sendable {
    case started(StreamFacts)
    /// It is still open; sent at the configured interval.
    case progressed(StreamFacts, StreamTotals)
    case ended(StreamFacts, StreamTotals, StreamEnd)
}
