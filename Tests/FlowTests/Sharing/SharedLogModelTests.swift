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

    // MARK: Snapshots by key

    /// A reader that begins with the newest record of each key.
    private struct SnapshotReader {
        var reading: SharedReading
        /// The number after the last record that it got, or that is lost.
        var next = 0
        /// Records before this one have to be the newest of their key.
        let end: Int
    }

    /// While the log grows, is trimmed, and loses all that is not promised.
    @Test(arguments: 0..<60) func aSnapshotHasTheNewestRecordsInTheirOrder(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        var log = SharedLog(
            retention: Retention(
                records: Int.random(in: 1...20, using: &random),
                bytes: ByteCount(Int.random(in: 300...4000, using: &random)), age: nil))
        var keys: [Character] = []
        var readers: [SnapshotReader] = []
        for _ in 0..<400 {
            switch Int.random(in: 0..<9, using: &random) {
            case 0..<3:
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    var lines = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                        keys.append("abcdef-".randomElement(using: &random) ?? "-")
                        return "\(keys[keys.count - 1])\(keys.count - 1)"
                    }
                    // A blank line; alone it is a segment without a record.
                    if Bool.random(using: &random) { lines.append("") }
                    log.append(lines: lines, keys: FirstCharacterKeys())
                }
            case 3 where readers.count < 6:
                let reading = SharedReading(.configured(.keys), lag: .gap, in: log)
                readers.append(SnapshotReader(reading: try #require(reading), end: log.next))
            case 4..<7:
                guard let index = readers.indices.randomElement(using: &random) else { continue }
                try read(&readers[index], log, keys, upTo: Int.random(in: 1...5, using: &random))
            default:
                let slowest = readers.map(\.reading.cursor).min { $0.record < $1.record }
                if Bool.random(using: &random) {
                    log.trim(keeping: Bool.random(using: &random) ? slowest : nil, at: .seconds(0))
                } else {
                    log.releaseAll(keeping: slowest ?? log.end)
                }
            }
        }
        for var reader in readers {
            while try read(&reader, log, keys, upTo: .max) {}
            #expect(max(reader.next, reader.end) == keys.count)
        }
    }

    /// One step of a reader; `false` if there is none.
    @discardableResult
    private func read(
        _ reader: inout SnapshotReader, _ log: SharedLog, _ keys: [Character], upTo limit: Int
    ) throws -> Bool {
        switch reader.reading.next(in: log, upTo: limit) {
        case .wait, .end: return false
        case .lost(let range):
            #expect(range.lowerBound == max(reader.next, reader.end))
            reader.next = range.upperBound
        case .pass(let slice):
            let lines = slice.text.split(separator: "\n")
            #expect(lines.count == slice.records)
            for line in lines {
                let number = try #require(Int(line.dropFirst()))
                if number < reader.end {
                    #expect(number >= reader.next && line.first == keys[number] && keys[number] != "-")
                    #expect(!keys[(number + 1)...].contains(keys[number]))
                } else {
                    #expect(number == max(reader.next, reader.end))
                }
                reader.next = number + 1
            }
        }
        return true
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
