import Synchronization

/// Whether this process accepts requests; may be read from any thread.
package final class Readiness: Sendable {
    package enum State: UInt8, AtomicRepresentable, Sendable {
        case starting, ready, draining
    }

    private let atomicState = Atomic(State.starting)

    package init() {}

    package var state: State { atomicState.load(ordering: .acquiring) }

    /// The listeners are open; a draining process stays draining.
    package func becameReady() {
        _ = atomicState.compareExchange(expected: .starting, desired: .ready, ordering: .acquiringAndReleasing)
    }

    /// The process begins to stop, which is final.
    ///
    /// - Returns: Whether this was the first call; a second one means an immediate stop.
    package func beganDraining() -> Bool {
        atomicState.exchange(.draining, ordering: .acquiringAndReleasing) != .draining
    }
}
