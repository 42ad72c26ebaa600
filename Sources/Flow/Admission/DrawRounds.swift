/// The rounds of 16 ms in which the streams of one client draw from their budget: each gets an equal part of a round's records.
///
/// 16 ms: a pause that is not noticed, and few enough calls.
struct DrawRounds: Sendable {
    /// Nanoseconds.
    static let length: Int64 = 16_000_000

    /// The round of the last draw, and the number of streams that drew in it and in the one before.
    private var last: Int64 = 0
    private var drawers: Int32 = 0
    private var drawersBefore: Int32 = 0

    /// The streams among which the records of a round are divided; at least 1 after a draw.
    var streams: Int64 { Int64(max(drawers, drawersBefore)) }

    /// Counts a draw.
    ///
    /// - Parameters:
    ///   - previous: The round of the stream's last draw, so that a stream that draws twice in one counts once.
    ///   - now: The time.
    /// - Returns: The round of this one.
    mutating func draw(after previous: Int64?, at now: Instant) -> Int64 {
        let round = now.nanoseconds / Self.length
        if round > last {
            drawersBefore = round == last + 1 ? drawers : 0
            drawers = 0
            last = round
        }
        // A loop whose clock is slightly late belongs to the round that has begun; at least one stream is drawing.
        if previous != round || drawers == 0 { drawers += 1 }
        return round
    }
}
