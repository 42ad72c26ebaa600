/// The feedback of a client on its open stream; `nil` for each member that it did not send.
///
/// One message at one time: ``EffectiveTerms`` combines several.
package struct Feedback: Equatable, Sendable {
    /// The maximum of each member.
    package static let maximumDelay = Duration.seconds(3600), maximumBuffer = 999_999_999, maximumRequest = 1 << 53

    /// The time that the client takes for one record; zero reverts an earlier value.
    package var processingDelay: Duration?
    /// The pace that the client wants; unlimited reverts an earlier value.
    package var rate: Pace?
    /// Records that the proxy may buffer for this client; from 1 to ``maximumBuffer``.
    package var bufferSize: Int?
    /// Whether the proxy must stop sending.
    package var isPaused: Bool?
    /// The number of further records that the client takes; from 1 to ``maximumRequest``, the integers that are exact
    /// in JSON (RFC 8259, section 6).
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
