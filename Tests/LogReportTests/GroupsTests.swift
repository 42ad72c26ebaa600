import Flow
import Observability
import TestSupport
import Testing

@testable import LogReport

@Suite struct GroupsTests {
    private func line(records: Int) -> LogLine {
        LogLine(time: Timestamp(millisecondsSince1970: 0), client: "", reason: .completed, records: records)
    }

    @Test func isExactWhileAllNamesFit() {
        var groups = Groups(limit: 4)
        for name in ["a", "b", "c", "d", "a"] { groups.add(line(records: 1), to: name) }
        #expect(groups.foldings == 0 && groups.shortfall == 0)
        let ranked = groups.ranked(top: 2)
        #expect(ranked.rows.map(\.name) == ["a", "b"])
        #expect(ranked.rows.map(\.figures.records) == [2, 1])
        #expect(ranked.others.records == 2)
        #expect(ranked.otherNames == 2)
    }

    @Test func oneNameMoreFoldsTheLighterHalf() {
        var groups = Groups(limit: 4)
        for (name, records) in [("a", 9), ("b", 3), ("c", 5), ("d", 7)] { groups.add(line(records: records), to: name) }
        groups.add(line(records: 1), to: "e")
        #expect(groups.count == 3)
        #expect(groups.foldings == 2)
        #expect(groups.shortfall == 5)
        let ranked = groups.ranked(top: 10)
        #expect(ranked.rows.map(\.name) == ["a", "d", "e"])
        #expect(ranked.others.records == 8)
    }

    /// For any lines: sums are exact, figures are too low by the shortfall at most, and no heavier name is missed.
    @Test(arguments: 0..<100) func keepsItsPromisesBesideExactSums(seed: Int) {
        var random = SeededGenerator(seed: seed), exact: [String: Int] = [:]
        let limit = Int.random(in: 2...20, using: &random)
        var groups = Groups(limit: limit)
        for _ in 0..<Int.random(in: 1...600, using: &random) {
            // Small numbers come more often.
            let name = "\(Int.random(in: 0...Int.random(in: 0...60, using: &random), using: &random))"
            let records = Int.random(in: 0...50, using: &random)
            exact[name, default: 0] += records
            groups.add(line(records: records), to: name)
            #expect(groups.count <= limit)
        }
        let ranked = groups.ranked(top: .max)
        let reported = Dictionary(uniqueKeysWithValues: ranked.rows.map { ($0.name, $0.figures.records) })
        for (name, records) in exact {
            let missing = records - (reported[name] ?? 0)
            #expect(missing >= 0 && missing <= groups.shortfall)
        }
        #expect(reported.values.reduce(0, +) + ranked.others.records == exact.values.reduce(0, +))
        if exact.count <= limit { #expect(groups.shortfall == 0 && reported == exact) }
    }
}
