import Flow
import NIOConcurrencyHelpers

/// The one ``Admission`` of a route, for all event loops.
///
/// A lock is right here: it is taken twice in a stream's life, for well under a microsecond, never for a record.
final class AdmissionGate: Sendable {
    private let admission: NIOLockedValueBox<Admission>

    init(limits: Admission.Limits) {
        admission = NIOLockedValueBox(Admission(limits: limits))
    }

    /// Lets a stream of `client` in for as long as the permit lives.
    ///
    /// - Throws: The bound that is reached; then nothing was taken.
    func admit(_ client: ClientKey, at now: Instant) throws(AdmissionError) -> Permit {
        let result = admission.withLockedValue {
            admission -> Result<(Admission.Admitted, StartQuota?), AdmissionError> in
            do throws(AdmissionError) {
                let admitted = try admission.admit(client, at: now)
                return .success((admitted, admission.startsLeft(of: client, at: now)))
            } catch {
                return .failure(error)
            }
        }
        let (admitted, startsLeft) = try result.get()
        return Permit(gate: self, client: client, admitted: admitted, startsLeft: startsLeft)
    }

    /// What a client has left of its starts; `nil` where the route does not limit them.
    func startsLeft(of client: ClientKey, at now: Instant) -> StartQuota? {
        admission.withLockedValue { $0.startsLeft(of: client, at: now) }
    }

    /// New bounds after a reload; what is open stays open.
    func setLimits(_ limits: Admission.Limits) {
        admission.withLockedValue { $0.limits = limits }
    }

    var openStreams: Int { admission.withLockedValue { $0.openStreams } }

    /// Streams and plain requests.
    var openRequests: Int { admission.withLockedValue { $0.openRequests } }

    fileprivate func turnedOutPlain(_ client: ClientKey, admitted: Admission.Admitted) {
        admission.withLockedValue { $0.turnedOutPlain(client, admitted: admitted) }
    }

    fileprivate func released(_ client: ClientKey, isStream: Bool) {
        admission.withLockedValue { $0.released(client, isStream: isStream) }
    }
}

/// The right to one open stream.
///
/// It belongs to the stream until its last byte, and gives its slot back when it goes.
struct Permit: ~Copyable, Sendable {
    private let gate: AdmissionGate
    private let client: ClientKey
    private var isStream = true
    private let admitted: Admission.Admitted
    /// What the client had left of its starts when it was admitted; `nil` where the route does not limit them.
    let startsLeft: StartQuota?

    fileprivate init(gate: AdmissionGate, client: ClientKey, admitted: Admission.Admitted, startsLeft: StartQuota?) {
        self.gate = gate
        self.client = client
        self.admitted = admitted
        self.startsLeft = startsLeft
    }

    /// In a dry run, what the stream would have been refused for.
    var wouldRefuse: AdmissionError? { admitted.wouldRefuse }

    deinit { gate.released(client, isStream: isStream) }

    /// The response is no stream: from now on only the upstream's slot is held, and the start was none.
    ///
    /// Calling it again changes nothing.
    mutating func turnedOutPlain() {
        guard isStream else { return }
        isStream = false
        gate.turnedOutPlain(client, admitted: admitted)
    }

    /// Gives the slot back now.
    consuming func release() {}
}
