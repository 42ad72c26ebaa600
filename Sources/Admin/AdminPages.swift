package import Downstream
package import NIOCore
package import Observability
package import Proxy

/// All pages for operators; the executable passes them to ``Server``.
package struct AdminPages: OperatorPages {
    package init() {}

    package func makeHandler(
        of proxy: OperatorInterface, on loop: any EventLoop, outbox: Outbox, timers: LoopTimers
    ) -> any RequestHandler {
        AdminHandler(of: proxy, on: loop, outbox: outbox, timers: timers)
    }

    package func answerHealth(
        of proxy: OperatorInterface, _ request: Request, to response: any ClientResponse, on loop: any EventLoop,
        answered: @escaping (_ status: Int, _ bytes: Int) -> Void
    ) {
        HealthPage(proxy).answer(request, response, on: loop, answered: answered)
    }

    package func metrics<Output: MetricsOutput>(
        of proxy: OperatorInterface, to output: Output, on loop: any EventLoop
    ) -> EventLoopFuture<Output> {
        proxy.figures(on: loop).map { figures in
            let now = proxy.now
            return MetricsPage(
                figures, breakers: proxy.breakerFigures(at: now), upstreams: proxy.upstreams(at: now),
                process: proxy.process, usage: .now(), to: output
            ).written()
        }
    }
}
