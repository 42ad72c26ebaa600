/// The deadlines of a pull's upstream.
///
/// Its readers have none of these: an upstream that is silent for one is silent for all, and only the pull knows whether
/// weir has paused the upstream for another reader.
struct PullClock: Sendable {
    private static let silences: [UpstreamTimeout] = [.firstByte, .firstRecord, .idle, .betweenRecords]

    private let limits: StreamMachine.Limits
    private var upstream: UpstreamClock
    private var hasHead = false
    private(set) var isPaused = false

    /// A pull whose request is sent now.
    init(limits: StreamMachine.Limits, at now: Instant) {
        self.limits = limits
        upstream = UpstreamClock(at: now)
    }

    /// The request is sent to another upstream, before a head.
    mutating func attemptBegan(at now: Instant) { upstream = UpstreamClock(at: now) }

    mutating func headArrived(at now: Instant) {
        upstream.headArrived(isWatched: limits.firstRecord != nil || limits.betweenRecords != nil, at: now)
        hasHead = true
    }

    /// Bytes arrived, with a number of whole records.
    mutating func heard(_ records: Int, at now: Instant) {
        upstream.heard(at: now)
        if records > 0 { upstream.recordArrived(at: now) }
    }

    /// weir stops or continues to read the upstream.
    mutating func setPaused(_ isPaused: Bool, at now: Instant) {
        self.isPaused = isPaused
        if !isPaused { upstream.resumed(at: now) }
    }

    /// When ``expired(at:)`` has to be read; `distantFuture` if no clock with a limit runs.
    var nextDeadline: Instant { Self.silences.reduce(.distantFuture) { min($0, deadline(of: $1)) } }

    /// The timeout that has run out; `nil` if none has.
    func expired(at now: Instant) -> UpstreamTimeout? { Self.silences.first { now >= deadline(of: $0) } }

    private func deadline(of timeout: UpstreamTimeout) -> Instant {
        guard !isPaused else { return .distantFuture }
        return switch timeout {
        case .firstByte: .end(of: upstream.headAwaitedSince, limits.firstByte)
        case .firstRecord: .end(of: upstream.firstRecordAwaitedSince, limits.firstRecord)
        case .betweenRecords: .end(of: upstream.nextRecordAwaitedSince, limits.betweenRecords)
        case .idle: .end(of: hasHead ? upstream.bytesAwaitedSince : nil, limits.idle)
        case .pause, .total: .distantFuture
        }
    }
}
