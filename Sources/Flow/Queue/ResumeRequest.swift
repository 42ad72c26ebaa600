import HTTPText

/// A client's request to resume a stream after the records that it has received.
package struct ResumeRequest: Equatable, Sendable {
    package static let header = "X-Stream-Resume"

    package var stream: StreamId
    /// The number of records of the stream that the client has received.
    package var received: Int

    package init(stream: StreamId, received: Int) {
        self.stream = stream
        self.received = received
    }

    /// Reads the header's value, `<id>; after=<records received>`, with optional whitespace around the semicolon.
    ///
    /// `nil` for anything else: an id of ``StreamId`` and 1 to 18 digits, which an `Int` always holds.
    package init?(_ text: String) {
        let (id, parameter) = text[...].cut(at: ";")
        guard let stream = StreamId(id.trimmingOptionalWhitespace),
            let parameter = parameter?.trimmingOptionalWhitespace, parameter.hasPrefix("after=")
        else { return nil }
        let digits = parameter.utf8.dropFirst("after=".utf8.count)
        guard (1...18).contains(digits.count), digits.allSatisfy(\.isDigit) else { return nil }
        self.init(stream: stream, received: digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) })
    }
}
