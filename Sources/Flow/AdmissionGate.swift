import Synchronization

/// The one ``Admission`` of a route, for all event loops.
///
/// A lock is right here: it is taken twice in a stream's life, for well under a microsecond, never for a record.
package final class AdmissionGate: Sendable {
    private let admission: Mutex<Admission>

    package init(limits: Admission.Limits) {
        admission = Mutex(Admission(limits: limits))
    }

    /// Lets a stream of `client` in for as long as the permit lives.
    ///
    /// - Throws: The bound that is reached; then nothing was taken.
    package func admit(_ client: ClientKey, at now: Instant) throws(AdmissionError) -> Permit {
        let startsLeft = try admission.withLock { admission throws(AdmissionError) in
            try admission.admit(client, at: now)
            return admission.startsLeft(of: client, at: now)
        }
        return Permit(gate: self, client: client, startsLeft: startsLeft)
    }

    /// What a client has left of its starts; `nil` where the route does not limit them.
    package func startsLeft(of client: ClientKey, at now: Instant) -> StartQuota? {
        admission.withLock { $0.startsLeft(of: client, at: now) }
    }

    /// New bounds after a reload; what is open stays open.
    package func setLimits(_ limits: Admission.Limits) {
        admission.withLock { $0.limits = limits }
    }

    package var openStreams: Int { admission.withLock { $0.openStreams } }

    /// Streams and plain requests.
    package var openRequests: Int { admission.withLock { $0.openRequests } }

    fileprivate func turnedOutPlain(_ client: ClientKey) {
        admission.withLock { $0.turnedOutPlain(client) }
    }

    fileprivate func released(_ client: ClientKey, isStream: Bool) {
        admission.withLock { $0.released(client, isStream: isStream) }
    }
}

/// The right to one open stream.
///
/// It belongs to the stream until its last byte, and gives its slot back when it goes.
package struct Permit: ~Copyable, Sendable {
    private let gate: AdmissionGate
    private let client: ClientKey
    private var isStream = true
    /// What the client had left of its starts when it was admitted; `nil` where the route does not limit them.
    package let startsLeft: StartQuota?

    fileprivate init(gate: AdmissionGate, client: ClientKey, startsLeft: StartQuota?) {
        self.gate = gate
        self.client = client
        self.startsLeft = startsLeft
    }

    deinit { gate.released(client, isStream: isStream) }

    /// The response is no stream: from now on only the upstream's slot is held, and the start was none.
    ///
    /// Calling it again changes nothing.
    package mutating func turnedOutPlain() {
        guard isStream else { return }
        isStream = false
        gate.turnedOutPlain(client)
    }

    /// Gives the slot back now.
    package consuming func release() {}
}
