import Flow
import NIOConcurrencyHelpers

/// What an admitted stream has taken of the limits over all replicas, until ``release()``.
///
/// A start that takes over the slot of a detached stream has it until the start is decided: the stream keeps its slot if the
/// start is refused.
///
///     held ──lend()──▶ lent ──takeAgain()──▶ held
///       └──release()──▶ released ◀──release()──┘ from either
final class HeldLimits: Sendable {
    private enum State { case held, lent, released }

    private let limits: [SharedLimit]
    private let isByStore: Bool
    private let replicas: Replicas
    private let state = NIOLockedValueBox(State.held)

    init(_ limits: [SharedLimit], _ basis: SharedVerdict.Basis, in replicas: Replicas) {
        (self.limits, self.replicas) = (limits, replicas)
        isByStore = if case .byStore = basis { true } else { false }
    }

    /// The stream has ended; a second call changes nothing.
    func release() {
        if change(to: .released) == .held { replicas.ended(limits) }
    }

    /// The response is no stream, or the stream was not begun: the start does not count either.
    func takeBack() {
        guard change(to: .released) == .held else { return }
        replicas.ended(limits)
        if isByStore { replicas.refund(limits) }
    }

    /// Another start has the slot from now on.
    func lend() {
        if change(to: .lent, from: .held) { replicas.ended(limits) }
    }

    /// The other start was refused; nothing changes if the stream has ended.
    func takeAgain() {
        if change(to: .held, from: .lent) { replicas.continued(limits) }
    }

    private func change(to next: State) -> State {
        state.withLockedValue { state in
            defer { state = next }
            return state
        }
    }

    private func change(to next: State, from before: State) -> Bool {
        state.withLockedValue { state in
            guard state == before else { return false }
            state = next
            return true
        }
    }
}
