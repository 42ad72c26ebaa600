import TestSupport
import Testing

@testable import Flow

@Suite struct ResumePointsTests {
    @Test func aRecordIsCountedFromTheLastGap() {
        var random = SeededGenerator(seed: 1)
        var points = ResumePoints(capacity: 2)
        let ids = (0..<3).map { _ in StreamId(using: &random) }
        points.add(ids[0], .init(received: 10, record: 100))
        #expect(points.record(of: ids[0], after: 10) == 100)
        #expect(points.record(of: ids[0], after: 12) == 102)
        #expect(points.record(of: ids[0], after: 9) == nil)
        #expect(points.record(of: ids[1], after: 10) == nil)
    }

    @Test func theOldestIsForgotten() {
        var random = SeededGenerator(seed: 1)
        var points = ResumePoints(capacity: 2)
        let ids = (0..<3).map { _ in StreamId(using: &random) }
        for id in ids { points.add(id, .init(received: 0, record: 0)) }
        #expect(ids.map { points.record(of: $0, after: 0) } == [nil, 0, 0])
    }
}
