import Upstream

/// One attempt at an upstream's response; what it reports goes to its `TransferDelegate`.
protocol UpstreamTransfer: AnyObject {
    /// Whether the upstream may have got a part of the request.
    var wasSent: Bool { get }

    /// Sends the request; its end may be reported before this returns.
    func start()

    /// Stops reading; may be called at any time.
    func pause()

    /// Reads again; nothing is reported before this returns.
    func resume()

    /// More of the request's body can be read, or its end.
    func bodyArrived()

    /// Ends it at once; nothing more is reported.
    func cancel()
}

extension Transfer: UpstreamTransfer {}
