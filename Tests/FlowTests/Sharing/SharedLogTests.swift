import TestSupport
import Testing

@testable import Flow

@Suite struct SharedLogTests {
    private func log(records: Int = 100, bytes: Int = 1 << 20, age: Duration? = nil) -> SharedLog {
        SharedLog(retention: Retention(records: records, bytes: ByteCount(bytes), age: age))
    }

    @Test func theBoundOfRecordsIsExactWithinASegment() throws {
        var log = log(records: 3)
        log.append(lines: ["a", "b", "c", "d", "e"])
        log.trim(at: .seconds(0))
        #expect(log.records == 3)
        var reader = try #require(CollectingReader(.configured(.beginning), in: log))
        reader.read(log)
        #expect(reader.lines == ["c", "d", "e"])
    }

    @Test func theBoundOfBytesReleasesWholeSegments() {
        var log = log(bytes: 1000)
        for line in ["a", "b", "c", "d", "e", "f", "g"] {
            log.append(lines: [line])
            log.trim(at: .seconds(0))
        }
        #expect(log.cost <= 1000)
        #expect((1..<7).contains(log.records))
    }

    @Test func oldRecordsAreReleased() {
        var log = log(age: .seconds(10))
        log.append(lines: ["a"], at: .seconds(0))
        log.append(lines: ["b"], at: .seconds(5))
        log.trim(at: .seconds(11))
        #expect(log.first == 1)
        log.trim(at: .seconds(16))
        #expect(log.records == 0)
        #expect(log.cost == 0)
    }

    @Test func aReaderBehindALogOfWhichNothingIsRetainedHasNothingToRead() {
        var log = log(records: 2, age: .seconds(10))
        let behind = Cursor.beginning
        log.append(lines: ["a", "b", "c"], at: .seconds(0))
        #expect(log.isFull(from: behind) && !log.isLow(from: behind))
        log.trim(at: .seconds(11))
        #expect(log.records == 0 && log.cost == 0)
        #expect(!log.isFull(from: behind) && log.isLow(from: behind) && !log.exceedsOvershoot(from: behind))
        log.append(lines: ["d"], at: .seconds(12))
        #expect(log.isFull(from: behind))
    }

    @Test func aSegmentLargerThanTheBoundIsKeptForItsReaders() throws {
        var log = log(bytes: 100)
        var reader = try #require(CollectingReader(.configured(.next), in: log))
        log.append(lines: [String(repeating: "x", count: 500)])
        log.trim(keeping: reader.reading.cursor, at: .seconds(0))
        reader.read(log)
        #expect(reader.lines.count == 1)
        log.trim(keeping: reader.reading.cursor, at: .seconds(0))
        #expect(log.cost == 0)
    }

    @Test(arguments: [(Join.next, ["e"]), (.last, ["d", "e"]), (.beginning, ["a", "b", "c", "d", "e"])])
    func aLateReaderBegins(_ join: Join, _ lines: [String]) throws {
        var log = log()
        log.append(lines: ["a", "b"])
        log.append(lines: ["c", "d"])
        var reader = try #require(CollectingReader(.configured(join), in: log))
        log.append(lines: ["e"])
        reader.read(log)
        #expect(reader.lines == lines)
    }

    @Test func theNewestOfEachKeyComesFirstThenTheNextRecord() throws {
        var log = log()
        let keys = FirstCharacterKeys()
        log.append(lines: ["a1", "b1", "-", "a2"], keys: keys)
        log.append(lines: ["c1", "a3"], keys: keys)
        var reader = try #require(CollectingReader(.configured(.keys), in: log))
        reader.read(log, pieces: 1)
        // A record that is superseded before it is sent is not sent: the newer one follows.
        log.append(lines: ["c2"], keys: keys)
        reader.read(log)
        #expect(reader.lines == ["b1", "a3", "c2"])
        #expect(reader.lost.isEmpty)
    }

    @Test func theNewestOfAKeyIsKeptWhenItsNeighboursAreReleased() throws {
        var log = log(records: 3)
        let keys = FirstCharacterKeys()
        log.append(lines: ["a1", "b1", "-", "a2", "c1"], keys: keys)
        log.append(lines: ["d1", "d2", "d3"], keys: keys)
        log.trim(at: .seconds(0))
        #expect(log.records == 3)
        var reader = try #require(CollectingReader(.configured(.keys), in: log))
        reader.read(log, pieces: 1)
        #expect(reader.lines == ["b1"])
        // A newer one arrives, and others leave the log, while the reader is on its way.
        log.append(lines: ["c2", "e1", "e2"], keys: keys)
        log.trim(at: .seconds(0))
        reader.read(log)
        #expect(reader.lines == ["b1", "a2", "d3", "c2", "e1", "e2"])
        #expect(reader.lost.isEmpty)
        var late = try #require(CollectingReader(.configured(.keys), in: log))
        late.read(log)
        #expect(late.lines == ["b1", "a2", "d3", "c2", "e2"])
        #expect(late.lost.isEmpty)
    }

    /// What is lost while a reader is within the snapshot are only the records after it.
    @Test func aReaderThatLagsWithinTheSnapshotGetsItsGapAfterIt() throws {
        var log = log(records: 2)
        let keys = FirstCharacterKeys()
        log.append(lines: ["a1", "b1"], keys: keys)
        var reader = try #require(CollectingReader(.configured(.keys), in: log))
        log.append(lines: ["c1", "c2", "c3", "c4"], keys: keys)
        log.trim(at: .seconds(0))
        reader.read(log)
        #expect(reader.lines == ["a1", "b1", "c3", "c4"])
        #expect(reader.lost == [2..<4])
    }

    @Test func theKeysThatAreKeptAreBounded() throws {
        var log = log(records: 3)
        let keys = FirstCharacterKeys()
        let names = "abcdefghijklmnopqrstuvwxyz".map(String.init)
        for round in 0..<50 { log.append(lines: names.map { "\($0)\(round)" }, keys: keys) }
        log.trim(at: .seconds(0))
        var reader = try #require(CollectingReader(.configured(.keys), in: log))
        reader.read(log)
        // The last three of those that left the log, and the three that it retains.
        #expect(reader.lines == names.suffix(6).map { "\($0)49" })
        #expect(log.memory > log.cost)
        log.releaseAll(keeping: log.end)
        #expect(log.memory == 0)
    }

    @Test func aReaderIsGivenItsGapExactly() throws {
        var log = log(records: 2)
        var reader = try #require(CollectingReader(.configured(.next), in: log))
        log.append(lines: ["a", "b"])
        reader.read(log)
        log.append(lines: ["c", "d", "e", "f", "g"])
        log.trim(at: .seconds(0))
        reader.read(log)
        #expect(reader.lines == ["a", "b", "f", "g"])
        #expect(reader.lost == [2..<5])
    }

    @Test func aReaderThatLagsEndsWhereTheRouteSaysSo() throws {
        var log = log(records: 1)
        var reader = try #require(CollectingReader(.configured(.next), lag: .end, in: log))
        log.append(lines: ["a", "b"])
        log.trim(at: .seconds(0))
        reader.read(log)
        #expect(reader.hasEnded)
        #expect(reader.lines.isEmpty)
    }

    @Test func aReaderResumesAtARetainedRecordOnly() throws {
        var log = log(records: 2)
        log.append(lines: ["a", "b", "c"])
        log.trim(at: .seconds(0))
        #expect(CollectingReader(.record(0), in: log) == nil)
        #expect(CollectingReader(.record(4), in: log) == nil)
        var reader = try #require(CollectingReader(.record(2), in: log))
        reader.read(log)
        #expect(reader.lines == ["c"])
        #expect(try #require(CollectingReader(.record(3), in: log)).reading.cursor == log.end)
    }

    @Test func anEventIsFoundByItsId() throws {
        var log = log(records: 2)
        var cutter = RecordCutter(framer: .events, maximum: .kibibytes(1))
        for event in ["id: 1\ndata: a\n\n", "id: 2\ndata: b\n\n", "data: c\n\n"] {
            if let segment = cutter.push(event) { log.append(segment) }
        }
        log.trim(at: .seconds(0))
        #expect(log.cursor(for: .afterEvent(.of("2")))?.record == 2)
        #expect(log.cursor(for: .afterEvent(.of("7"))) == nil)
        // The event itself is gone, and what follows it is retained.
        #expect(log.cursor(for: .afterEvent(.of("1")))?.record == 1)
        if let segment = cutter.push("data: d\n\ndata: e\n\n") { log.append(segment) }
        log.trim(at: .seconds(0))
        #expect(log.cursor(for: .afterEvent(.of("1"))) == nil)
    }

    @Test func aPullIsFullFromAReadersPosition() {
        var log = log(records: 4)
        let start = log.end
        log.append(lines: ["a", "b"])
        #expect(log.isLow(from: start))
        log.append(lines: ["c"])
        #expect(!log.isLow(from: start) && !log.isFull(from: start))
        log.append(lines: ["d"])
        #expect(log.isFull(from: start))
        #expect(log.isLow(from: log.end))
    }

    @Test func indicesDoNotGrowWithReleasedRecords() {
        var index = NewestRecords()
        for number in 0..<1000 {
            index[.of("\(number)")] = number
            index.prune(before: number - 9, of: 10)
        }
        #expect(index.count <= 2 * 10 + 65)
        #expect(index[.of("999")] == 999)
    }

    @Test func withoutMemoryOnlyPromisedRecordsRemain() {
        var log = log()
        log.append(lines: ["a", "b"])
        let cursor = log.end
        log.append(lines: ["c"])
        log.releaseAll(keeping: cursor)
        #expect(log.first == 2)
        #expect(log.records == 1)
    }
}
