/// Hears how the client takes its response; on the loop that writes it.
package protocol ResponseWriterDelegate: AnyObject {
    /// The client took everything so far: there is room again.
    func responseHasRoom()

    /// Of what was sent at once, the client's socket did not take all.
    func responseIsHeldUp()

    /// The client's socket took the end of the response. The last call.
    func responseFinished()

    /// The client left before that. The last call.
    func responseClosed()

    /// A head or trailers cannot be sent over the client's protocol, so the response has ended without them. The last call.
    func responseFailed()
}

extension ResponseWriterDelegate {
    package func responseFailed() { responseClosed() }
}
