/// What a stream gets of its client's budget with one draw.
package enum RecordDraw: Equatable, Sendable {
    /// Records to be sent from then on, or to be given back.
    case lease(records: Int, notBefore: Instant)
    /// None yet: the stream has to draw again at that time.
    case later(Instant)

    /// When the stream may continue.
    package var time: Instant {
        switch self {
        case .lease(_, let time), .later(let time): time
        }
    }
}
