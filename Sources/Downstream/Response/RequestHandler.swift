/// Answers requests; one for each loop.
package protocol RequestHandler: AnyObject {
    /// A request whose head is complete. The response is written to `writer`, now or later, and must be ended; `body` must be
    /// claimed before this returns.
    func requestArrived(_ request: consuming Request, body: RequestBody, writer: any ConnectionResponse)

    /// Something that is no request; it must be answered before this returns.
    func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse)

    /// A connection of HTTP/2 was ended because of what its client sent outside of any request.
    ///
    /// - Parameters:
    ///   - peer: The client's address, without its port.
    ///   - reason: The limit, or the rule, that was violated.
    func connectionFailed(_ peer: String, because reason: String)
}

extension RequestHandler {
    package func connectionFailed(_ peer: String, because reason: String) {}
}
