import Flow

/// What an admitted stream has taken of the limits over all replicas, until ``release()``.
struct HeldLimits: Sendable {
    private let limits: [SharedLimit]
    private let isByStore: Bool
    private let replicas: Replicas

    init(_ limits: [SharedLimit], _ basis: SharedVerdict.Basis, in replicas: Replicas) {
        (self.limits, self.replicas) = (limits, replicas)
        isByStore = if case .byStore = basis { true } else { false }
    }

    /// The stream has ended; to be called once.
    func release() { replicas.ended(limits) }

    /// The response is no stream, or the stream was not begun: the start does not count either.
    ///
    /// Instead of ``release()``.
    func takeBack() {
        replicas.ended(limits)
        if isByStore { replicas.refund(limits) }
    }
}
