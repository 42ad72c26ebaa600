package import Downstream
package import NIOCore

/// The pages for operators, which are made above Proxy and passed to ``Server``: Proxy knows what they ask, not what they show.
package protocol OperatorPages: Sendable {
    /// Makes what answers on the admin listener; called once.
    ///
    /// - Parameters:
    ///   - proxy: What the pages show.
    ///   - loop: The loop of the admin listener; the call and all requests are on it.
    ///   - outbox: The listener's; its turn is to be ended after an answer that comes later than its request.
    ///   - timers: The listener's.
    /// - Returns: The handler; the listener owns it.
    func makeHandler(
        of proxy: OperatorInterface, on loop: any EventLoop, outbox: Outbox, timers: LoopTimers
    ) -> any RequestHandler

    /// Answers a request for `paths.health`, once all loops have reported.
    ///
    /// - Parameters:
    ///   - proxy: What is reported.
    ///   - response: Where the answer goes.
    ///   - loop: The response's.
    ///   - answered: Is called on the loop after the answer, with its status and the length of its body; it ends the turn.
    func answerHealth(
        of proxy: OperatorInterface, to response: any ClientResponse, on loop: any EventLoop,
        answered: @escaping (_ status: Int, _ bytes: Int) -> Void)
}
