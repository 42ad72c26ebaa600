/// Notified how the client takes its response; on the loop that writes it.
package protocol ResponseWriterDelegate: AnyObject {
    /// The client has taken everything that was written so far.
    ///
    /// Called after each turn that wrote something the client takes at once, and when a client that was blocked has taken the
    /// rest.
    func responseCaughtUp()

    /// The client does not take everything that was written: there is no room until ``responseCaughtUp()``.
    ///
    /// May be called again before that.
    func responseBlocked()

    /// The client's socket has taken the end of a response whose acknowledgement is awaited, and which has none yet.
    func responseHandedOver()

    /// The client has taken the end of the response. The last call.
    func responseFinished()

    /// The client left, or the response was aborted, before that. The last call.
    func responseClosed()

    /// A head or trailers cannot be sent over the client's protocol, so the response has ended without them. The last call.
    func responseFailed()
}

extension ResponseWriterDelegate {
    package func responseHandedOver() {}

    package func responseFailed() { responseClosed() }
}
