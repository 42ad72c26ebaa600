package import Flow

/// Records what happens to a request that is sampled: its attempts, and the first of its events.
///
/// Recording is an append of a few plain values; spans are made of them later, by the exporter (``EndedRequest``).
package final class RequestTrace {
    /// The most events that are kept of a request, beside its end.
    package static let mostEvents = 64
    /// The most attempts.
    package static let mostAttempts = 16

    /// What was recorded.
    struct Recording: Sendable {
        let context: TraceContext
        let began: Instant
        var attempts: [Attempt] = []
        var events: [Event] = []
        var droppedEvents = 0
    }

    /// A request to an upstream.
    struct Attempt: Sendable {
        let context: TraceContext
        let upstream: String
        let began: Instant
        /// `nil` if it ended with the client's request.
        var ended: Instant?
        var status: Int?
        var failure: UpstreamFailure?
    }

    /// What happened at a time.
    struct Event: Sendable {
        enum Kind {
            case head(status: Int)
            case firstRecord
            case drop(records: Int)
            case joined(upstream: String)
        }

        let kind: Kind
        let time: Instant
    }

    private(set) var recording: Recording
    /// Records that were dropped by the time of the last event.
    private var droppedRecords = 0

    package init(_ context: TraceContext, from began: Instant) {
        recording = Recording(context: context, began: began)
    }

    /// The request is sent to an upstream.
    ///
    /// - Returns: The context that the upstream continues.
    package func attemptBegan(at upstream: String, _ now: Instant) -> TraceContext {
        attemptEnded(at: now)
        let context = recording.context.attempt(recording.attempts.count + 1)
        if recording.attempts.count < Self.mostAttempts {
            recording.attempts.append(Attempt(context: context, upstream: upstream, began: now))
        }
        return context
    }

    /// The upstream's head arrived.
    package func headArrived(status: Int) { update { $0.status = status } }

    /// The upstream's part is over; `nil` if its response is complete or not needed any more.
    package func attemptEnded(_ failure: UpstreamFailure? = nil, at now: Instant) {
        update { attempt in
            attempt.ended = now
            attempt.failure = failure
        }
    }

    /// The head was passed on.
    package func headSent(status: Int, at now: Instant) { add(.head(status: status), at: now) }

    /// The first record was sent.
    package func firstRecordSent(at now: Instant) { add(.firstRecord, at: now) }

    /// That many records of the stream were dropped until now.
    package func recordsDropped(_ total: Int, at now: Instant) {
        guard total > droppedRecords else { return }
        add(.drop(records: total - droppedRecords), at: now)
        droppedRecords = total
    }

    /// The stream reads a response that it shares with others, whose request is in no trace.
    package func joined(_ upstream: String, at now: Instant) { add(.joined(upstream: upstream), at: now) }

    private func update(_ change: (inout Attempt) -> Void) {
        guard let last = recording.attempts.indices.last, recording.attempts[last].ended == nil else { return }
        change(&recording.attempts[last])
    }

    private func add(_ kind: Event.Kind, at now: Instant) {
        if recording.events.count < Self.mostEvents {
            recording.events.append(Event(kind: kind, time: now))
        } else {
            recording.droppedEvents += 1
        }
    }
}
