import Flow

/// The connection, or the stream of HTTP/2, that a request's body arrives on; it outlives the body's use of it.
protocol RequestBodySource: AnyObject {
    /// The loop's.
    var timers: LoopTimers { get }
    /// Reads the monotonic clock.
    var clock: () -> Instant { get }

    /// Continues to read, or leaves what arrives to TCP, or to the stream's window of HTTP/2.
    func setReading(_ reads: Bool)

    /// Sends `100 Continue` (RFC 9110, section 10.1.1); nothing once the response has begun.
    func sendContinue()
}
