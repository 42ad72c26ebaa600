extension StreamMachine {
    /// The command that the shell executes after an event.
    package enum Action: Equatable, Sendable {
        case none
        /// Stop reading from the upstream.
        case pauseUpstream
        /// Read from the upstream again.
        case resumeUpstream
        /// Cancel the upstream; queued records are still sent.
        case cancelUpstream
        /// The upstream sent no record in time, and the client nothing yet: send the request to another one, or end.
        case tryAnother
        /// No more records will arrive: end the response as this outcome demands.
        case endResponse(Outcome)
        /// The client is gone and may come back: keep the queued records, and call ``attached(catchesUpFrom:)`` when it does.
        case detach
        /// Stop everything; nothing more is written.
        case finish(Outcome)
    }
}
