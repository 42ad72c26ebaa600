/// What a client says about its stream while it runs; `nil` is not said.
///
/// A value of one client and one time: how several of them add up is ``EffectiveTerms``.
package struct Feedback: Equatable, Sendable {
    /// The most that any part can ask for.
    package static let maximumDelay = Duration.seconds(3600), maximumBuffer = 999_999_999, maximumRequest = 1 << 53

    /// How long the client takes over one record; zero takes back what was said before.
    package var processingDelay: Duration?
    /// The pace that the client wants; unlimited takes back what was said before.
    package var rate: Pace?
    /// Records that the proxy may hold for this client; from 1 to ``maximumBuffer``.
    package var bufferSize: Int?
    /// Whether nothing is to be sent for now.
    package var isPaused: Bool?
    /// How many more records the client takes; from 1 to ``maximumRequest``, the integers that JSON can be trusted with
    /// (RFC 8259, section 6).
    package var request: Int?

    package init(
        processingDelay: Duration? = nil, rate: Pace? = nil, bufferSize: Int? = nil, isPaused: Bool? = nil,
        request: Int? = nil
    ) {
        self.processingDelay = processingDelay
        self.rate = rate
        self.bufferSize = bufferSize
        self.isPaused = isPaused
        self.request = request
    }
}
