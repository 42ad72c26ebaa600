import Flow

/// Bounds what a client of HTTP/2 may send that costs work and requests nothing; one for each connection.
///
/// A client that uses its streams stays far below: frames that belong to a response are not counted.
struct HTTP2AbuseLimits {
    enum Kind: Int, CaseIterable {
        /// A request whose stream ended by an error before its response began (CVE-2023-44487).
        case resets
        /// A request or a frame that is malformed by RFC 9113.
        case malformed
        /// A request beyond the limit of streams (section 5.1.2).
        case refusals
        /// PING and SETTINGS, each of which must be answered, and PRIORITY.
        case control
        /// DATA without bytes and without an end.
        case emptyFrames

        /// For a log.
        var text: String {
            switch self {
            case .resets: "too many requests were reset before their response began"
            case .malformed: "too many malformed requests or frames"
            case .refusals: "too many requests beyond the limit of streams"
            case .control: "too many PING, SETTINGS and PRIORITY frames"
            case .emptyFrames: "too many empty DATA frames"
            }
        }
    }

    /// The number of each kind that may arrive at once, and in each 30 seconds.
    private static let burst = 200
    /// A client that has not received the limit of streams may send all its requests.
    private static let refusalBurst = 10_000

    private var meters: [Meter]
    /// Frames of responses for which no PING has been received.
    private var sentFrames = 0

    init(at now: Instant) {
        meters = Kind.allCases.map { kind in
            let burst = kind == .refusals ? Self.refusalBurst : Self.burst
            let rate = Rate(burst * 2, per: .minute)
            return Meter(pace: rate.map(Pace.limited) ?? .unlimited, burst: burst, at: now)
        }
    }

    /// Counts one.
    ///
    /// - Returns: Whether it is within the limit.
    mutating func admits(_ kind: Kind, at now: Instant) -> Bool {
        // Clients send a PING for frames that they receive, to measure the path.
        if kind == .control, sentFrames > 0 {
            sentFrames -= 1
            return true
        }
        guard meters[kind.rawValue].available(at: now) > 0 else { return false }
        meters[kind.rawValue].take(1, at: now, leavesWaiting: false)
        return true
    }

    /// A frame with bytes of a response was sent.
    mutating func frameSent() { sentFrames = min(sentFrames + 1, Self.burst) }
}
