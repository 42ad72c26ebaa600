/// What a stream does at a moment: the one value of which the log of pauses, a stream's own address and the operator's
/// overview report their part.
package enum StreamStatus: Equatable, Sendable, CaseIterable {
    /// Not admitted yet (`Prefer: respond-async`).
    case waiting
    /// Admitted; the upstream has not begun to answer.
    case pending
    /// It failed before it began; the next request for it gets the reason.
    case failed
    /// Begun, and promised to a client that has not fetched it yet.
    case ready
    /// Its client lost the connection and may come back.
    case resumable
    /// Its client has asked for a pause, or has no credit left.
    case held
    /// Its client does not take what it was offered.
    case slow
    /// A full queue has paused the upstream.
    case paused
    case flowing
    /// Over.
    case ended

    /// What a status is derived from.
    package struct Facts: Sendable {
        package var isAdmitted: Bool
        package var hasHead: Bool
        package var hasClient: Bool
        package var isPromised: Bool
        package var isStoppedByClient: Bool

        package init(isAdmitted: Bool, hasHead: Bool, hasClient: Bool, isPromised: Bool, isStoppedByClient: Bool) {
            (self.isAdmitted, self.hasHead, self.hasClient) = (isAdmitted, hasHead, hasClient)
            (self.isPromised, self.isStoppedByClient) = (isPromised, isStoppedByClient)
        }
    }

    package init(_ facts: Facts, of machine: StreamMachine) {
        self =
            if machine.isFinished {
                .ended
            } else if !facts.isAdmitted {
                .waiting
            } else if !facts.hasHead {
                machine.isEmptying ? .failed : .pending
            } else if !facts.hasClient {
                facts.isPromised ? .ready : .resumable
            } else if facts.isStoppedByClient {
                .held
            } else if machine.isBlocked {
                .slow
            } else {
                machine.isPaused ? .paused : .flowing
            }
    }

    /// The `state` of the JSON at the stream's own address: a client knows by itself whether it takes what it gets.
    package var clientText: String {
        switch self {
        case .waiting: "waiting"
        case .pending: "pending"
        case .failed: "failed"
        case .ready: "ready"
        case .resumable: "resumable"
        case .held, .slow, .paused, .flowing: "streaming"
        case .ended: "ended"
        }
    }

    /// The `state` of the operator's overview: it says which side is waited for.
    package var operatorText: String {
        switch self {
        case .waiting, .ended: "waiting"
        case .pending, .failed: "pending"
        case .ready, .resumable: "detached"
        case .held: "held"
        case .slow: "slow"
        case .paused: "paused"
        case .flowing: "flowing"
        }
    }

    /// What lets the queue fill up in this status.
    ///
    /// - Parameter clientHasRoom: Whether the client's channel takes more; without room the client is the cause even
    ///   before its socket has been found full.
    /// - Returns: The cause that metrics and the log of pauses report.
    package func pauseCause(clientHasRoom: Bool) -> PauseLog.Cause {
        switch self {
        case .ready, .resumable, .ended: .detached
        case .held: .feedback
        case .slow: .client
        case .waiting, .pending, .failed, .paused, .flowing: clientHasRoom ? .pace : .client
        }
    }
}
