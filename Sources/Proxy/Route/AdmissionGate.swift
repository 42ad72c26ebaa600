import Flow
import NIOConcurrencyHelpers

/// A route's ``GateState`` for all event loops.
///
/// The lock is cheap enough: it is taken a few times per stream, for well under a microsecond, never for a record; if
/// streams share a budget of records, for each lease of about 16 ms.
final class AdmissionGate: Sendable {
    private struct Guarded {
        var state: GateState
        /// The addresses of the pool's upstreams, in their order.
        var targets: [RouteUpstream]
        /// What detached streams hold of the limits over all replicas, for a start that takes over the slot of one.
        var held: [StreamId: HeldLimits] = [:]
    }

    /// Called when a breaker opens or closes, outside of the lock.
    let breakerChanged: @Sendable (BreakerKind, CircuitBreaker.State) -> Void
    /// Reads the monotonic clock, when a permit ends.
    let clock: @Sendable () -> Instant
    private let guarded: NIOLockedValueBox<Guarded>

    init(
        rules: GateRules, upstreams: [RouteUpstream],
        breakerChanged: @escaping @Sendable (BreakerKind, CircuitBreaker.State) -> Void = { _, _ in },
        clock: @escaping @Sendable () -> Instant = { .monotonic() }
    ) {
        self.clock = clock
        self.breakerChanged = breakerChanged
        guarded = NIOLockedValueBox(
            Guarded(state: GateState(rules: rules, upstreams: upstreams.map(\.name)), targets: upstreams))
    }

    var rules: GateRules { withState { $0.rules } }
    /// The rate of the records of a client of this tier over all replicas; `nil` if there is none.
    func sharedRecords(of tier: String?) -> SharedRecordRule? { withState { $0.rules.sharedRecords(of: tier) } }

    /// Applies other rules from now on; admitted streams stay, and count.
    func apply(_ rules: GateRules, upstreams: [RouteUpstream], at now: Instant) {
        guarded.withLockedValue { guarded in
            guarded.state.apply(rules, upstreams: upstreams.map(\.name), at: now)
            guarded.targets = upstreams
        }
    }

    /// Admits a stream of `client` until the permit's end.
    ///
    /// - Parameters:
    ///   - client: Whose limits count.
    ///   - tier: The name of its tier; `nil` if it has none.
    ///   - takesUpstream: Whether the stream sends a request of its own; if not, the permit has no upstream.
    ///   - now: The time.
    /// - Returns: The permit.
    /// - Throws: The first refusal; then nothing was taken.
    func admit(
        _ client: ClientKey, tier: String? = nil, takesUpstream: Bool = true, at now: Instant
    ) throws(AdmissionError) -> Permit {
        let (grant, upstream) = try take { state throws(AdmissionError) in
            try state.admit(client, tier: tier, takesUpstream: takesUpstream, at: now)
        }
        // The slot of the new stream is requested from the store anew.
        let lent = grant.displaced.flatMap { takeHeld(of: $0) }
        lent?.lend()
        return Permit(gate: self, grant: grant, upstream: upstream, lent: lent)
    }

    /// Takes back what a permit has that ends.
    ///
    /// - Parameters:
    ///   - grant: The permit's.
    ///   - hasBegun: Whether its stream has begun; if not, a detached stream gets back the slot that the permit has taken over.
    ///   - lent: What that stream holds of the limits over all replicas.
    ///   - now: The time.
    func release(_ grant: AdmissionGrant, hasBegun: Bool, lent: HeldLimits?, at now: Instant) {
        let isReturned = guarded.withLockedValue { guarded in
            let stream = hasBegun ? nil : guarded.state.returnSlot(of: grant)
            if let stream, let lent { guarded.held[stream] = lent }
            guarded.state.release(grant, at: now)
            return stream != nil
        }
        if isReturned { lent?.takeAgain() }
    }

    /// Keeps what a stream holds while it is detached.
    func keep(_ limits: HeldLimits, of stream: StreamId) { guarded.withLockedValue { $0.held[stream] = limits } }

    /// What a stream held while it was detached; `nil` if another start has taken over its slot.
    func takeHeld(of stream: StreamId) -> HeldLimits? {
        guarded.withLockedValue { $0.held.removeValue(forKey: stream) }
    }

    /// Admits a request that the streams of several clients share (``GateState/admitPull(at:)``).
    ///
    /// - Throws: Why no upstream can be asked; then nothing was taken.
    func admitPull(at now: Instant) throws(AdmissionError) -> Permit {
        let (grant, upstream) = try take { state throws(AdmissionError) in try state.admitPull(at: now) }
        return Permit(gate: self, grant: grant, upstream: upstream)
    }

    /// Takes an upstream for a grant that has none.
    ///
    /// - Returns: How to reach it.
    /// - Throws: Why no upstream can be asked; then nothing has changed.
    func takeUpstream(_ grant: inout AdmissionGrant, at now: Instant) throws(AdmissionError) -> RouteUpstream? {
        let present = grant
        let (taken, upstream) = try take { state throws(AdmissionError) in
            var grant = present
            try state.takeUpstream(&grant, at: now)
            return grant
        }
        grant = taken
        return upstream
    }

    /// What `admit` grants, and how to reach its upstream.
    private func take(
        _ admit: (inout GateState) throws(AdmissionError) -> AdmissionGrant
    ) throws(AdmissionError) -> (AdmissionGrant, RouteUpstream?) {
        let result = guarded.withLockedValue { guarded -> Result<(AdmissionGrant, RouteUpstream?), AdmissionError> in
            do throws(AdmissionError) {
                let grant = try admit(&guarded.state)
                return .success((grant, grant.upstream.map { guarded.targets[$0.index] }))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Moves a grant to another upstream (``GateState/tryAnother(_:at:)``).
    ///
    /// - Returns: Its address; `nil` if there is none, and nothing has changed.
    func tryAnother(_ grant: inout AdmissionGrant, at now: Instant) -> RouteUpstream? {
        guarded.withLockedValue { guarded in
            guard guarded.state.tryAnother(&grant, at: now), let place = grant.upstream else { return nil }
            return guarded.targets[place.index]
        }
    }

    /// The time until a client's breaker is half-open.
    func cooldown(of client: ClientKey, at now: Instant) -> Duration {
        withState { $0.clientBreakers?.timeUntilHalfOpen(client, at: now) ?? .zero }
    }

    /// The refusal as the client receives it (``GateState/spread(_:of:tier:at:)``).
    func spread(
        _ refusal: AdmissionError, of client: ClientKey, tier: String? = nil, at now: Instant
    ) -> AdmissionError {
        withState { $0.spread(refusal, of: client, tier: tier, at: now) }
    }

    func withState<Answer>(_ body: (inout GateState) -> Answer) -> Answer {
        guarded.withLockedValue { body(&$0.state) }
    }
}
