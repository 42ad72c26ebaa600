import Testing

@testable import PlainText

@Suite struct TableTests {
    private static let table = Table(
        title: "name", names: ["/a", "/a/path/that/is/long"],
        columns: [
            .init(title: "kind", cells: ["x", "longer"], isText: true), .init(title: "count", cells: ["1", "1,000"]),
        ])

    @Test func wordsAreLeftAlignedAndNumbersRightAligned() {
        #expect(
            Self.table.oneBand(width: 80) == [
                "name                  kind    count",
                "/a                    x           1",
                "/a/path/that/is/long  longer  1,000",
            ])
    }

    @Test func aLongNameIsShortenedBeforeAColumnIsOmitted() {
        #expect(
            Self.table.oneBand(width: 31) == [
                "name              kind    count", "/a                x           1", "/a/path..is/long  longer  1,000",
            ])
        #expect(
            Self.table.oneBand(width: 30) == [
                "name              kind", "/a                x", "/a/path..is/long  longer",
            ])
    }

    @Test func noLineEndsWithSpaces() {
        let table = Table(title: "name", names: ["/a"], columns: [.init(title: "kind", cells: [""], isText: true)])
        #expect(table.oneBand(width: 80) == ["name  kind", "/a"])
    }

    @Test func withBandsNoColumnIsOmitted() {
        #expect(Self.table.lines(width: 30).count == 7)
    }
}
