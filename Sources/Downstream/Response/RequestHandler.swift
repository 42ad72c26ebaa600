/// Answers requests; one for each loop.
package protocol RequestHandler: AnyObject {
    /// A request whose head is complete. The answer goes to `writer`, now or later, and must come to its end; `body` is to
    /// be asked for now or never.
    func requestArrived(_ request: Request, body: RequestBody, writer: any ConnectionResponse)

    /// Something that is no request; to be answered at once.
    func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse)

    /// A connection of HTTP/2 was ended for what its client sent, which is part of no request.
    ///
    /// - Parameters:
    ///   - peer: The client's address, without its port.
    ///   - reason: The limit, or the rule, that was violated.
    func connectionFailed(_ peer: String, because reason: String)
}

extension RequestHandler {
    package func connectionFailed(_ peer: String, because reason: String) {}
}
