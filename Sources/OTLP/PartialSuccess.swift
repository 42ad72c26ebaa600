/// What a receiver reports of an export that it accepted, but not completely (OTLP/HTTP, "Partial Success"): the rest must not
/// be sent again.
package struct PartialSuccess: Equatable, Sendable {
    /// The longest part of a message that is kept.
    package static let longestMessage = 256

    /// The spans or data points that it rejected; 0 for a warning.
    package let rejected: Int
    package let message: String

    /// Reads the members of a response; `nil` if everything was accepted without a warning.
    ///
    /// - Parameters:
    ///   - rejected: A whole number in decimal digits; `nil` if the response has none.
    ///   - message: `nil` if the response has none.
    package init?(rejected: String?, message: String?) {
        self.rejected = rejected.flatMap { Int($0) }.map { max(0, $0) } ?? 0
        self.message = message.map { String($0.prefix(Self.longestMessage)) } ?? ""
        if self.rejected == 0, self.message.isEmpty { return nil }
    }
}
