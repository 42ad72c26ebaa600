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
}
