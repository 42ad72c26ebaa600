import TestSupport
import Testing

@testable import Flow

/// Random walks of a log with readers beside a model that keeps every record.
@Suite struct SharedLogModelTests {
    private struct Walker {
        var reader: CollectingReader
        /// The number of the record that it expects next.
        var expected: Int
        var seen = 0
        var lostBefore = 0
    }

    @Test(arguments: 0..<60) func everyRecordIsReadOnceOrIsInAGap(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let retention = Retention(
            records: Int.random(in: 1...30, using: &random),
            bytes: ByteCount(Int.random(in: 300...4000, using: &random)),
            age: Bool.random(using: &random) ? .seconds(20) : nil)
        var log = SharedLog(retention: retention)
        var walkers: [Walker] = []
        var (next, time) = (0, 0.0)
        for _ in 0..<400 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let count = Int.random(in: 1...12, using: &random)
                log.append(lines: (next..<next + count).map(String.init), at: .seconds(time))
                next += count
            case 4: time += Double.random(in: 0...10, using: &random)
            case 5 where walkers.count < 6:
                let joins: [JoinPoint] = [
                    .configured(.next), .configured(.last), .configured(.beginning),
                    .record(Int.random(in: 0...next, using: &random)),
                ]
                let join = joins.randomElement(using: &random) ?? .configured(.next)
                guard let reader = CollectingReader(join, in: log) else { continue }
                walkers.append(Walker(reader: reader, expected: reader.reading.cursor.record))
            case 6..<9:
                guard let index = walkers.indices.randomElement(using: &random) else { continue }
                walkers[index].reader.read(log, pieces: Int.random(in: 1...4, using: &random))
                try check(&walkers[index])
            default:
                let keeps = Bool.random(using: &random)
                let slowest = walkers.map(\.reader.reading.cursor).min { $0.record < $1.record }
                let before = log.first
                log.trim(keeping: keeps ? slowest : nil, at: .seconds(time))
                if keeps, let slowest { #expect(log.first <= max(before, slowest.record)) } else { checkBounds(log) }
            }
            #expect(log.next == next)
            #expect(log.first <= log.next)
        }
        for index in walkers.indices {
            walkers[index].reader.read(log)
            try check(&walkers[index])
            #expect(walkers[index].expected == next)
        }
    }

    private func checkBounds(_ log: SharedLog) {
        #expect(log.records <= log.retention.records)
        #expect(log.cost <= log.retention.bytes.bytes)
    }

    /// What it got since the last check continues where it was, apart from the gaps that it was given.
    private func check(_ walker: inout Walker) throws {
        var gaps = walker.reader.lost[walker.lostBefore...]
        for line in walker.reader.lines[walker.seen...] {
            let number = try #require(Int(line))
            if let gap = gaps.first, gap.lowerBound == walker.expected {
                walker.expected = gap.upperBound
                gaps.removeFirst()
            }
            #expect(number == walker.expected)
            walker.expected = number + 1
        }
        for gap in gaps {
            #expect(gap.lowerBound == walker.expected)
            walker.expected = gap.upperBound
        }
        (walker.seen, walker.lostBefore) = (walker.reader.lines.count, walker.reader.lost.count)
        #expect(walker.expected == walker.reader.reading.cursor.record)
    }
}
