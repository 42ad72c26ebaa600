import Downstream
import Flow
import Upstream

extension Worker {
    /// The configuration was replaced: applies it to the open streams of this loop as far as possible.
    ///
    /// - Complexity: O(open streams of the loop), a few microseconds for each.
    func adopt(_ served: ServedConfiguration) {
        listener?.limits = served.connectionLimits
        meters.follow(served.routes)
        upstream.keep(served.routes.flatMap { $0.upstreams.map(\.origin) })
        if isChecking { checkUpstreams(of: served) }
        for stream in Array(streams.all) where stream.request.served.generation < served.generation {
            if let route = served.successor(of: stream.route) { stream.adopt(route) }
        }
        turnEnded()
    }
}
