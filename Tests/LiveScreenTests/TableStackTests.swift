import Testing

@testable import LiveScreen

@Suite struct TableStackTests {
    private func table(_ name: String, rows: Int) -> [ScreenLine] {
        [ScreenLine(name, .heading)] + (0..<rows).map { ScreenLine("\(name)\($0)") }
    }

    private func lines(_ tables: [[ScreenLine]], selected: Int? = nil, rows: Int) -> [String] {
        TableStack(tables: tables, selected: selected).lines(rows: rows).map(\.text)
    }

    @Test func tablesThatFitAreWhole() {
        #expect(lines([table("a", rows: 2), table("b", rows: 0)], rows: 6) == ["", "a", "a0", "a1", "", "b"])
    }

    @Test func aLargeTableGetsWhatTheSmallOnesLeave() {
        #expect(
            lines([table("a", rows: 9), table("b", rows: 1)], rows: 8)
                == ["", "a", "a0", "a1", "(7 more)", "", "b", "b0"])
    }

    @Test(arguments: [
        (0, ["", "a", "a0", "a1", "(1 to 2 of 9)"]), (4, ["", "a", "a3", "a4", "(4 to 5 of 9)"]),
        (99, ["", "a", "a7", "a8", "(8 to 9 of 9)"]),
    ])
    func theRowsAroundTheSelectedOneAreShown(selected: Int, expected: [String]) {
        #expect(lines([table("a", rows: 9)], selected: selected, rows: 5) == expected)
    }

    @Test func theSelectedRowIsMarked() {
        let marked = TableStack(tables: [table("a", rows: 3)], selected: 1).lines(rows: 9)
        #expect(marked.map(\.weight) == [.plain, .heading, .plain, .selected, .plain])
    }
}
