import Flow
package import Settings

/// A route with what a plan needs of the configuration around it.
package struct PlannedRoute {
    package let route: Route
    package let limits: Configuration.Limits
    /// Event loops.
    package let workers: Int

    /// - Parameters:
    ///   - route: The route of the load.
    ///   - configuration: Has the limits of the process.
    ///   - cores: Of the machine, for `workers: auto`.
    package init(_ route: Route, of configuration: Configuration, cores: Int) {
        self.route = route.alone
        limits = configuration.limits
        workers = configuration.workers ?? cores
    }

    var machineLimits: StreamMachine.Limits { StreamMachine.Limits(route) }
    var overflow: Overflow { route.overflow }
    var receiveBytes: Int { (route.upstreamReceiveBuffer ?? .kibibytes(128)).bytes }

    /// The size of libcurl's reads, as the proxy chooses it.
    func readBytes(under terms: Terms) -> Int {
        terms.pace == .unlimited && terms.maximumBytes > .kibibytes(256) ? 32 << 10 : 16 << 10
    }

    /// The terms that a client of the load is granted.
    func terms(for load: Load) throws(NegotiationError) -> Terms {
        let policy = route.policy(of: load.tier)
        let preferences = try StreamPreferences(
            bufferSize: [], rateLimit: load.requested.map { [$0.text] } ?? [], strictness: policy.strictness)
        return try policy.terms(for: preferences)
    }
}

extension Route {
    /// The route with all limits as those of one instance.
    fileprivate var alone: Route {
        var route = self
        route.streams.countAlone()
        for name in tiers.keys { route.tiers[name]?.streams.countAlone() }
        return route
    }
}

extension Route.StreamLimits {
    fileprivate mutating func countAlone() { (scope, recordScope) = (.local, .local) }
}
