import HTTPText

/// The values of a client's negotiation headers; `nil` for a header that it did not send.
package struct StreamPreferences: Equatable, Sendable {
    package static let bufferSizeHeader = "X-Stream-Buffer-Size"
    package static let rateLimitHeader = "X-Stream-Rate-Limit"

    /// Records that the proxy may buffer for this client; at least 1.
    package var buffer: Int?
    /// The maximum pace that the client wants.
    package var rate: Rate?

    package init(buffer: Int? = nil, rate: Rate? = nil) {
        self.buffer = buffer
        self.rate = rate
    }

    /// Reads the values of both headers; a list is empty if the header was not sent, which costs nothing.
    ///
    /// A rate with more digits than ``Rate`` holds is rounded down.
    ///
    /// - Parameters:
    ///   - bufferSize: The values of every `X-Stream-Buffer-Size`: 1 to 9 digits, above 0.
    ///   - rateLimit: The values of every `X-Stream-Rate-Limit`: number, `/`, unit.
    ///   - strictness: `.lenient` ignores each malformed header on its own.
    /// - Throws: ``NegotiationError/malformed(header:reason:)`` under `.strict`, for the first malformed header.
    package init(
        bufferSize: [String], rateLimit: [String], strictness: Policy.Strictness = .strict
    ) throws(NegotiationError) {
        if !bufferSize.isEmpty {
            buffer = try Self.value(
                of: Self.bufferSizeHeader, bufferSize, must: "must be a whole number from 1 to 999999999", strictness,
                read: Self.readBuffer)
        }
        if !rateLimit.isEmpty {
            rate = try Self.value(
                of: Self.rateLimitHeader, rateLimit,
                must: "must be a number above 0, a slash, and second, minute or hour", strictness,
                read: { Rate(roundingDown: $0) })
        }
    }

    /// The value of a header that was sent once; a header that was sent more than once is malformed.
    private static func value<Value>(
        of header: String, _ values: [String], must grammar: String, _ strictness: Policy.Strictness,
        read: (Substring) -> Value?
    ) throws(NegotiationError) -> Value? {
        if values.count == 1, let value = read(values[0][...].trimmingOptionalWhitespace) { return value }
        guard strictness == .strict else { return nil }
        throw .malformed(header: header, reason: values.count == 1 ? grammar : "must not be sent more than once")
    }

    private static func readBuffer(_ text: Substring) -> Int? {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy(\.isDigit), let buffer = Int(text), buffer > 0
        else { return nil }
        return buffer
    }
}
