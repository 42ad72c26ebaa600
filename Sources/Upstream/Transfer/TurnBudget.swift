/// How much a transfer has taken in the current turn of its event loop.
struct TurnBudget {
    /// The most bytes of one transfer in one turn; then the others have theirs.
    static let bytes = 64 << 10

    private var turn: UInt64 = 0
    private var taken = 0

    /// Counts bytes.
    ///
    /// - Returns: Whether the transfer has had its share of the turn.
    mutating func take(_ bytes: Int, in turn: UInt64) -> Bool {
        if turn != self.turn { (self.turn, taken) = (turn, 0) }
        taken += bytes
        return taken >= Self.bytes
    }
}
