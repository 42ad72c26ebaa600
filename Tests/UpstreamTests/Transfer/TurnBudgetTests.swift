import Testing

@testable import Upstream

@Suite struct TurnBudgetTests {
    /// Whether each of these pieces, in these turns, was the last that may be taken.
    private func isUsedUp(by pieces: (bytes: Int, turn: UInt64)...) -> [Bool] {
        var budget = TurnBudget()
        return pieces.map { budget.take($0.bytes, in: $0.turn) }
    }

    @Test func manyPiecesOfOneTurnUseItUp() {
        #expect(isUsedUp(by: (TurnBudget.bytes - 1, 1), (1, 1), (1, 1)) == [false, true, true])
    }

    @Test func theNextTurnHasOneOfItsOwn() {
        #expect(isUsedUp(by: (TurnBudget.bytes, 1), (TurnBudget.bytes - 1, 2), (1, 2)) == [true, false, true])
    }
}
