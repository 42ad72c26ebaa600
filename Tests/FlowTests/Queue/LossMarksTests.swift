import Flow
import Testing

@Suite struct LossMarksTests {
    @Test func recordsBeforeALossAreSentFirst() {
        var marks = LossMarks()
        #expect(marks.room(after: 0) == .max)
        marks.add(3, after: 2)
        marks.add(4, after: 2)
        marks.add(1, after: 5)
        #expect(marks.room(after: 0) == 2)
        #expect(marks.lossAhead(after: 1) == 0)
        #expect(marks.room(after: 2) == 0)
        #expect(marks.lossAhead(after: 2) == 7)
        marks.reported(after: 2)
        #expect(marks.room(after: 2) == 3)
        marks.reported(after: 4)
        #expect(!marks.isEmpty)
        marks.reported(after: 5)
        #expect(marks.isEmpty)
    }

    @Test func whatWasReportedIsPutBackBeforeTheOthers() {
        var reported = LossMarks(), marks = LossMarks()
        for (lost, position) in [(1, 1), (2, 3), (4, 5)] { reported.add(lost, after: position) }
        marks.add(8, after: 5)
        marks.putBack(reported.take(from: 3))
        #expect(reported.lossAhead(after: 1) == 1 && reported.room(after: 1) == 0)
        #expect(marks.room(after: 0) == 3 && marks.lossAhead(after: 3) == 2)
        marks.reported(after: 3)
        #expect(marks.room(after: 3) == 2 && marks.lossAhead(after: 5) == 12)
        marks.reported(after: 5)
        #expect(marks.isEmpty)
    }
}
