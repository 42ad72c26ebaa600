import Flow

/// Why a transfer is not read: the pauses that its owner has requested, and its part of the current turn.
struct TransferPauses {
    private var causes = PauseCauses()
    private var budget = TurnBudget()

    /// Whether it may be read.
    var isEmpty: Bool { causes.isEmpty }

    mutating func begin(_ cause: PauseCauses) { causes.insert(cause) }

    mutating func end(_ cause: PauseCauses) { causes.remove(cause) }

    /// Counts bytes that were taken in a turn.
    ///
    /// - Returns: Whether the transfer has had its part of the turn with them, and now waits for the next one.
    mutating func count(_ bytes: Int, in turn: UInt64) -> Bool {
        guard budget.take(bytes, in: turn), !causes.contains(.turnBudget) else { return false }
        causes.insert(.turnBudget)
        return true
    }
}
