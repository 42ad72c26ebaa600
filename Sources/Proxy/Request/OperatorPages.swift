package import Downstream
package import NIOCore
package import Observability

/// The pages for operators, which are in a target above Proxy and passed to ``Server``.
package protocol OperatorPages: Sendable {
    /// Creates the handler of the admin listener; called once.
    ///
    /// - Parameters:
    ///   - proxy: The proxy that the pages show.
    ///   - loop: The loop of the admin listener; the call and all requests are on it.
    ///   - outbox: The listener's outbox; its turn is to be ended after a response that is sent later than its request.
    ///   - timers: The listener's timers.
    /// - Returns: The handler; the listener owns it.
    func makeHandler(
        of proxy: OperatorInterface, on loop: any EventLoop, outbox: Outbox, timers: LoopTimers
    ) -> any RequestHandler

    /// Responds to a request for `paths.health`, once all loops have reported.
    ///
    /// - Parameters:
    ///   - proxy: The reported proxy.
    ///   - request: The request, on a public listener.
    ///   - response: Receives the response.
    ///   - loop: The response's.
    ///   - answered: Called on the loop after the response, with its status and the length of its body; it ends the turn.
    func answerHealth(
        of proxy: OperatorInterface, _ request: Request, to response: any ClientResponse, on loop: any EventLoop,
        answered: @escaping (_ status: Int, _ bytes: Int) -> Void)

    /// Writes all metrics, once all loops have reported.
    ///
    /// - Parameters:
    ///   - proxy: The reported proxy.
    ///   - output: Receives them.
    ///   - loop: The loop of the result.
    /// - Returns: The output with the metrics; a failure if a loop does not report in time or has been shut down.
    func metrics<Output: MetricsOutput>(
        of proxy: OperatorInterface, to output: Output, on loop: any EventLoop
    ) -> EventLoopFuture<Output>
}
