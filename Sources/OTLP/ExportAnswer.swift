import HTTPText
package import Observability

/// What a receiver's response to an export means (OTLP/HTTP, "Failures").
package enum ExportAnswer: Equatable, Sendable {
    case accepted
    /// The same body may be accepted later, at the earliest after the given time if the receiver stated one.
    case retryable(after: Duration?)
    /// The same body would be rejected again.
    case rejected

    /// The longest time for which a receiver can defer an export.
    package static let longestDelay = Duration.seconds(300)

    /// - Parameters:
    ///   - status: The status of the response.
    ///   - retryAfter: The values of its `Retry-After`.
    ///   - now: The time of day, to which a date there is compared.
    package init(status: Int, retryAfter: [String] = [], at now: Timestamp) {
        switch status {
        case 200..<300: self = .accepted
        case 429, 502, 503, 504: self = .retryable(after: Self.delay(retryAfter, at: now))
        default: self = .rejected
        }
    }

    /// A number of seconds, or a date (RFC 9110, section 10.2.3).
    private static func delay(_ values: [String], at now: Timestamp) -> Duration? {
        guard values.count == 1, let text = values.first, !text.isEmpty else { return nil }
        guard text.utf8.allSatisfy(\.isDigit) else {
            guard let date = Timestamp(httpDate: text, at: now) else { return nil }
            return min(
                .milliseconds(max(0, date.millisecondsSince1970 - now.millisecondsSince1970)), longestDelay)
        }
        return Int(text).map { min(.seconds($0), longestDelay) } ?? longestDelay
    }
}
