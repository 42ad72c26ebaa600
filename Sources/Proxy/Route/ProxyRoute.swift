import Flow
import JSONPointer
import Logging
import NIOConcurrencyHelpers
import Settings
import Upstream

/// A route at run time: its settings, its upstreams, and its gate.
///
/// Shared by all loops: everything is immutable except the gate and the counters, which have locks.
final class ProxyRoute: Sendable {
    let settings: Route
    /// Among the routes of its configuration.
    let index: Int
    /// The route's name in logs and metrics.
    let name: String
    let upstreams: [RouteUpstream]
    let gate: AdmissionGate
    /// The time limits of its streams.
    let machineLimits: StreamMachine.Limits
    /// How `Prefer: respond-async` is handled; `nil` if it is left to the upstream: if it is off, and if no response is a
    /// stream (`framing: none`), so that a service's own 202 is the only one.
    let async: Route.Async?
    /// Promised streams that were not fetched yet, by client.
    let promises: NamedCounter
    /// Reads the key of a record, under `overflow: latest` with a key.
    let keys: (any RecordKeyReader)?
    /// How clients share requests to the upstream; `nil` if they do not.
    let sharing: RouteSharing?
    /// Whether a client continues its stream by `Last-Event-ID`.
    let resumesByEvents: Bool
    /// What it changes in the fields of requests and of responses; `nil` for nothing.
    let requestFields, responseFields: FieldRules?
    let trailerRules: TrailerRules
    /// The route's name at the store; `nil` if no limit counts over all replicas.
    let sharedName: String?
    /// The names of its clients there; `nil` if no limit counts over all replicas.
    let sharedKeys: NIOLockedValueBox<SharedKeys>?
    /// `nil` if no state is shared with other replicas.
    let replicas: Replicas?
    let warnings: RouteWarnings

    /// - Parameters:
    ///   - settings: The configuration of the route.
    ///   - index: Its index among the routes of the configuration.
    ///   - hasAddresses: Whether streams have their own addresses, without which they cannot be fetched later.
    ///   - previous: The route with this match before a reload; its gate and counts continue.
    ///   - replicas: What is shared with other replicas.
    ///   - log: Reports the route's breakers.
    init(
        _ settings: Route, index: Int = 0, hasAddresses: Bool = true, after previous: ProxyRoute? = nil,
        replicas: Replicas? = nil, log: Logger? = nil
    ) {
        (self.settings, self.index, self.replicas) = (settings, index, replicas)
        let name = settings.label
        self.name = name
        warnings = RouteWarnings(route: name)
        upstreams = RouteUpstream.all(of: settings, after: previous?.upstreams ?? [])
        sharedName = settings.sharesLimits ? settings.match.sharedName : nil
        sharedKeys = sharedName.map { NIOLockedValueBox(SharedKeys(route: $0)) }
        gate =
            previous?.gate
            ?? AdmissionGate(rules: GateRules(settings, sharedName: sharedName), upstreams: upstreams) { kind, state in
                log?.notice(
                    "breaker",
                    metadata: ["route": "\(name)", "kind": "\(kind.rawValue)", "state": "\(state.rawValue)"])
            }
        machineLimits = StreamMachine.Limits(settings)
        requestFields = FieldRules(settings.headers.request)
        responseFields = FieldRules(settings.headers.response)
        trailerRules = TrailerRules(settings)
        async = hasAddresses && settings.framing != .none ? settings.async : nil
        promises = previous?.promises ?? NamedCounter(perName: settings.async?.perClient)
        keys = settings.key.flatMap { JSONPointer($0) }
        resumesByEvents = settings.onClientGone == .continue && settings.clientWait != nil
        // A response of the settings before is not shared with requests under these.
        sharing = previous?.settings == settings ? previous?.sharing : settings.shared.map { RouteSharing($0) }
    }

    /// The terms of a tier's clients; without a tier, those of the route, for which its settings need not be copied.
    func policy(of tier: String?) -> Policy { tier == nil ? settings.policy : settings.policy(of: tier) }

    /// Applies this route's limits to the gate and to everything else taken over from the previous route.
    func applyLimits(at now: Instant) {
        gate.apply(GateRules(settings, sharedName: sharedName), upstreams: upstreams, at: now)
        promises.setLimits(perName: settings.async?.perClient)
    }
}
