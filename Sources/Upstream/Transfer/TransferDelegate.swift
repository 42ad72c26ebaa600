package import NIOHTTP1

/// What a transfer reports; always on its event loop, and nothing after `transferEnded` or `cancel()`.
package protocol TransferDelegate: AnyObject {
    /// An informational head (1xx, but for 100 and 101) before the final one.
    func transferInterim(_ head: UpstreamResponseHead)

    /// The final response head, once, before everything else.
    func transferHead(_ head: consuming UpstreamResponseHead)

    /// The next bytes of the body, transfer coding removed; at most 16 KiB, valid during the call. All are taken: a delegate
    /// without room pauses the transfer, and gets nothing more.
    func transferBytes(_ bytes: UnsafeRawBufferPointer)

    /// The fields after a chunked body, if there are any; once, right before an end that is complete.
    func transferTrailers(_ trailers: HTTPHeaders)

    /// The end, once.
    func transferEnded(_ end: TransferEnd)

    /// The upstream would take more of the request's body. Called only for requests that announce one.
    ///
    /// - Parameter target: Where to put it; valid during the call.
    /// - Returns: What was put there; after `nothingYet` there is no further call before ``Transfer/bodyArrived()``.
    func transferBody(into target: UnsafeMutableRawBufferPointer) -> BodyPiece

    /// The fields after a chunked body, requested once all of it has been passed.
    func transferBodyTrailers() -> HTTPHeaders
}

extension TransferDelegate {
    /// No request of this one has a body.
    package func transferBody(into target: UnsafeMutableRawBufferPointer) -> BodyPiece { .end }
    package func transferBodyTrailers() -> HTTPHeaders { [:] }
    package func transferTrailers(_ trailers: HTTPHeaders) {}
    package func transferInterim(_ head: UpstreamResponseHead) {}
}

/// What there is of a request's body at the moment.
package enum BodyPiece: Equatable, Sendable {
    /// This many bytes were put into the target; never 0.
    case bytes(Int)
    case nothingYet
    /// That was all of it.
    case end
    /// The rest will not arrive: the request is given up.
    case brokenOff
}
