import Testing

@testable import Settings

@Suite struct SpellingTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "abc", 3), ("rate", "rate", 0), ("rate", "rats", 1), ("rate", "arte", 1),
        ("kitten", "sitting", 3), ("shutdwon_grace", "shutdown_grace", 1), ("ca", "abc", 3),
    ])
    func countsSlips(left: String, right: String, distance: Int) {
        #expect(Spelling.distance(left, right) == distance)
        #expect(Spelling.distance(right, left) == distance)
    }

    @Test func findsTheNearest() {
        let nearest = Spelling.nearest(to: "hots", among: ["path", "host", "methods"])
        #expect(nearest?.word == "host")
        #expect(nearest?.distance == 1)
    }

    @Test func doesNotCompareWhatIsNoWord() {
        #expect(Spelling.nearest(to: String(repeating: "a", count: 64), among: ["a"])?.distance == 63)
        #expect(Spelling.nearest(to: String(repeating: "a", count: 65), among: ["a"]) == nil)
        #expect(Spelling.nearest(to: "a", among: []) == nil)
    }
}
