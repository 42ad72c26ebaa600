import JSONPointer
import OTLP

extension PartialSuccess {
    private static let message = JSONPointer("/partialSuccess/errorMessage")

    /// Reads a response to an export.
    ///
    /// - Returns: `nil` if everything was accepted, or if it is not such a response.
    init?(of signal: TelemetryFigures.Signal, in response: [UInt8]) {
        let rejected = response.withUnsafeBytes { signal.rejected?.text(in: $0) }
        self.init(rejected: rejected, message: response.withUnsafeBytes { Self.message?.text(in: $0) })
    }
}

extension TelemetryFigures.Signal {
    private static let rejectedSpans = JSONPointer("/partialSuccess/rejectedSpans")
    private static let rejectedDataPoints = JSONPointer("/partialSuccess/rejectedDataPoints")

    fileprivate var rejected: JSONPointer? {
        switch self {
        case .traces: Self.rejectedSpans
        case .metrics: Self.rejectedDataPoints
        }
    }
}
