package import Flow

// The rules by which the machines decide, from the settings of a route.

extension GateRules {
    /// The rules of a route's settings.
    ///
    /// - Parameters:
    ///   - settings: The route.
    ///   - sharedName: Its name at all replicas; `nil` if no limit counts over them.
    package init(_ settings: Route, sharedName: String? = nil) {
        self.init(
            limits: Admission.Limits(settings.streams),
            clientBreaker: settings.breaker.map { CircuitBreaker.Policy($0) },
            isClientBreakerDryRun: settings.breaker?.isDryRun ?? false,
            upstreams: UpstreamRules(
                balance: settings.balance, limit: settings.upstreamStreams,
                breaker: settings.upstreamBreaker.map { CircuitBreaker.Policy($0) },
                isBreakerDryRun: settings.upstreamBreaker?.isDryRun ?? false,
                check: settings.healthCheck.map { .init(rise: $0.rise, fall: $0.fall, interval: $0.interval) }),
            clientRecords: settings.streams.localRecords,
            sharedRecords: settings.streams.sharedRecords(of: sharedName))
        tiers = settings.tiers.mapValues { tier in
            Tier(
                limits: Admission.Limits(tier.streams), clientRecords: tier.streams.localRecords,
                sharedRecords: tier.streams.sharedRecords(of: sharedName))
        }
    }
}

extension Route {
    /// What becomes of a stream whose client lost its connection, if the route has a `resume_window`.
    package enum ClientGone: String, Equatable, Sendable, CaseIterable {
        /// It ends.
        case cancel
        /// It waits; the upstream is read until the queue is full.
        case wait
        /// It waits; the upstream is read on within the largest buffer of the route.
        case `continue`
    }

    /// The time that a stream waits for a client whose connection is lost; `nil` if it ends.
    package var clientWait: Duration? { onClientGone == .cancel ? nil : resumeWindow }

    /// Whether a stream whose client is gone is read beyond the buffer that the client was granted.
    ///
    /// Where records may be dropped, the upstream never waits for room.
    package var readsOnWithoutClient: Bool { onClientGone == .continue && clientWait != nil && !overflow.drops }
}

extension Route.StreamLimits {
    /// A client's allowance of records at this replica alone.
    fileprivate var localRecords: RecordAllowance? { recordScope == .local ? clientRecords : nil }

    /// A client's record rate over all replicas, at the store under the route's name.
    fileprivate func sharedRecords(of route: String?) -> SharedRecordRule? {
        guard recordScope == .replicas, let rate = clientRecords?.rate, let route else { return nil }
        return SharedRecordRule(route: route, rate: rate)
    }
}

extension Admission.Limits {
    fileprivate init(_ streams: Route.StreamLimits) {
        self.init(
            perClient: streams.perClient, perRoute: streams.perRoute,
            // Over all replicas, this one alone cannot count them.
            starts: streams.scope == .local ? streams.starts : nil, startsBurst: streams.startsBurst,
            isDryRun: streams.isDryRun)
    }
}

extension CircuitBreaker.Policy {
    fileprivate init(_ settings: Route.Breaker) {
        self.init(
            trips: settings.failures, window: settings.window, cooldown: settings.cooldown, probes: settings.probes,
            probeRecords: settings.probeRecords)
    }
}

extension StreamMachine.Limits {
    /// The time limits of a route's streams.
    package init(_ settings: Route) {
        self.init(
            firstByte: settings.timeouts.firstByte, firstRecord: settings.timeouts.firstRecord,
            betweenRecords: settings.timeouts.betweenRecords, idle: settings.timeouts.idle,
            pause: settings.timeouts.pause, stall: settings.stallTimeout?.after, total: settings.timeouts.total,
            resumeWindow: settings.clientWait, endsWhenFull: settings.overflow == .disconnect,
            isStallDryRun: settings.stallTimeout?.isDryRun ?? false)
    }
}
