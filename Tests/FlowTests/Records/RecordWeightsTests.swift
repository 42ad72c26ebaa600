import Flow
import TestSupport
import Testing

@Suite struct RecordWeightsTests {
    /// The whole text is the number, without the white space around it.
    private struct Digits: RecordWeightReader {
        func weight(of text: UnsafeRawBufferPointer) -> Int? {
            Int(String(decoding: text, as: UTF8.self).filter { !$0.isWhitespace })
        }
    }

    private func weights(
        in framer: RecordFramer = .lines, standard: Int = 1, isCumulative: Bool = false
    ) -> RecordWeights {
        RecordWeights(Digits(), in: framer, standard: standard, isCumulative: isCumulative)
    }

    /// The weights of records, each counted before the next.
    private func counted(_ records: [String], _ weights: RecordWeights) -> (weights: [Int], total: Int) {
        var weights = weights
        let all = records.map { record in
            let weight = withOwnMemory(of: record.utf8) { weights.weight(of: $0) }
            weights.count(weight)
            return weight
        }
        return (all, weights.total)
    }

    @Test func aRecordWeighsItsNumberOrTheStandard() {
        let counted = counted(["7\n", "x\n", "0\n", "\n"], weights(standard: 2))
        #expect(counted.weights == [7, 2, 0, 2] && counted.total == 11)
    }

    @Test func aTotalSettlesTheDifference() {
        let counted = counted(["x\n", "x\n", "9\n", "x\n", "4\n", "4\n", "0\n"], weights(isCumulative: true))
        #expect(counted.weights == [1, 1, 7, 1, -6, 0, -4] && counted.total == 0)
    }

    @Test(arguments: [
        (RecordFramer.lines, "\n7\r\n\n"), (.events, ": a\n\ndata: 7\n\n"),
        (.events, "id: 1\ndata: \ndata: 7\r\n\r\n: b\n"),
        (.sequence, "\n\u{1E}7\n"), (.sequence, "\u{1E}\u{1E} 7"),
    ]) func theNumberIsInTheTextOfARecord(framer: RecordFramer, record: String) {
        #expect(counted([record], weights(in: framer)).weights == [7])
    }

    @Test(arguments: [(false, 3), (true, 0)]) func aTotalThatMayFallIsNotCountedBeforeTheEnd(
        isCumulative: Bool, expected: Int
    ) {
        var weights = weights(isCumulative: isCumulative)
        weights.count(3)
        #expect(weights.runningTotal == expected && weights.total == 3)
    }

    @Test func theSumDoesNotOverflow() {
        var weights = weights()
        for _ in 0..<3 { weights.count(.max) }
        #expect(weights.total == .max)
    }
}
