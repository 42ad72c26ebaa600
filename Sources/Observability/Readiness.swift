import Synchronization

/// Whether this process wants requests; any thread may ask.
package final class Readiness: Sendable {
    package enum State: UInt8, AtomicRepresentable, Sendable {
        case starting, ready, draining
    }

    private let atomicState = Atomic(State.starting)

    package init() {}

    package var state: State { atomicState.load(ordering: .acquiring) }

    /// The listeners are open; a process that drains already goes on draining.
    package func becameReady() {
        _ = atomicState.compareExchange(expected: .starting, desired: .ready, ordering: .acquiringAndReleasing)
    }

    /// The process was told to stop; it does not come back from there.
    ///
    /// - Returns: Whether this was the first time; a second one means that it shall stop at once.
    package func beganDraining() -> Bool {
        atomicState.exchange(.draining, ordering: .acquiringAndReleasing) != .draining
    }
}
