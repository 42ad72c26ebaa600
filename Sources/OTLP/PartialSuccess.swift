/// What a receiver reports of an export that it accepted, but not completely (OTLP/HTTP, "Partial Success"): the rest must not
/// be sent again.
package struct PartialSuccess: Equatable, Sendable {
    /// The longest part of a message that is kept.
    package static let longestMessage = 256

    /// The spans or data points that it rejected; 0 for a warning, `nil` if what it sent is no number of them.
    package let rejected: Int?
    package let message: String

    /// Reads the members of a response; `nil` if everything was accepted without a warning.
    ///
    /// - Parameters:
    ///   - rejected: An `int64` that is not negative, in decimal digits; `nil` if the response has none.
    ///   - message: `nil` if the response has none. As in the number, `null` is the default value (ProtoJSON).
    package init?(rejected: String?, message: String?) {
        self.rejected = Self.stated(rejected).map { text in Int(text).flatMap { $0 < 0 ? nil : $0 } } ?? 0
        self.message = Self.stated(message).map { String($0.prefix(Self.longestMessage)) } ?? ""
        if self.rejected == 0, self.message.isEmpty { return nil }
    }

    private static func stated(_ value: String?) -> String? { value == "null" ? nil : value }
}
