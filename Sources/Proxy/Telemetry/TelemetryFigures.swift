import HTTPText
package import Observability

/// What the export of traces and metrics reports of itself.
package struct TelemetryFigures: Equatable, Sendable {
    /// The raw value is the last part of the path of its requests.
    package enum Signal: String, Sendable, CaseIterable {
        case traces, metrics
    }

    /// How a request to the receiver ended.
    package enum Result: String, Sendable, CaseIterable {
        case accepted
        /// The receiver cannot be reached, did not answer in time, or may accept the same later.
        case failed
        /// The receiver would reject the same again.
        case rejected
    }

    package enum SpanResult: String, Sendable, CaseIterable {
        case exported
        /// There was no room for it in the buffer of its event loop.
        case dropped
        /// The receiver accepted it in none of several requests.
        case lost
        /// The receiver accepted others of the same request.
        case rejected
    }

    package private(set) var traces = CaseCounts<Result>()
    package private(set) var metrics = CaseCounts<Result>()
    package var spans = CaseCounts<SpanResult>()
    /// Of metrics, in requests of which the receiver accepted others.
    package private(set) var rejectedDataPoints = 0

    package init() {}

    package func exports(of signal: Signal) -> CaseCounts<Result> { signal == .traces ? traces : metrics }

    /// The receiver has rejected data points; how many is its own word, so that the sum is limited to `Int.max`.
    mutating func rejected(dataPoints: Int) { rejectedDataPoints.addUpToMost(dataPoints) }

    mutating func count(_ result: Result, of signal: Signal) {
        switch signal {
        case .traces: traces[result] += 1
        case .metrics: metrics[result] += 1
        }
    }
}
