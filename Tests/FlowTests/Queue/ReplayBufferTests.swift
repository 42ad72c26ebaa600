import Flow
import TestSupport
import Testing

@Suite struct ReplayBufferTests {
    @Test func givesBackWhatAClientHasNotReceived() {
        let tap = ReplayTap()
        tap.append("1\n2\n", 2)
        tap.append("3\n", 1)
        #expect(tap.rewind(after: 1) == .unread(records: 2))
        #expect(tap.given == ["2\n3\n:2"])
        #expect(tap.delivered == 1)
        #expect(tap.records == 1)
        #expect(tap.bytes == 2)
    }

    @Test func hasNothingToGiveToAClientThatHasAll() {
        let tap = ReplayTap()
        #expect(tap.rewind(after: 0) == .unread(records: 0))
        tap.append("1\n", 1)
        #expect(tap.rewind(after: 1) == .unread(records: 0))
        #expect(tap.given.isEmpty)
    }

    @Test func saysFromWhereItStillCan() {
        let tap = ReplayTap()
        tap.append("1\n2\n3\n", 3)
        tap.trim(records: 1)
        #expect(tap.oldest == 2)
        #expect(tap.rewind(after: 1) == .gone(from: 3))
        #expect(tap.rewind(after: 4) == .neverSent)
        #expect(tap.given.isEmpty)
        #expect(tap.rewind(after: 2) == .unread(records: 1))
        #expect(tap.given == ["3\n:1"])
    }

    @Test func onlyWholeRecordsGoForBytes() {
        let tap = ReplayTap()
        tap.append("1\n22\n3\n", 3)
        tap.trim(bytes: 6)
        #expect(tap.bytes == 5)
        tap.trim(bytes: 5)
        #expect(tap.records == 2)
        tap.trim(bytes: 1)
        #expect(tap.records == 0)
        #expect(tap.bytes == 0)
        #expect(tap.oldest == 3)
    }

    @Test func aTrimToLessThanNothingEmptiesIt() {
        let tap = ReplayTap()
        tap.append("1\n\n", 1)
        tap.trim(records: -1, bytes: -1)
        #expect(tap.records == 0)
        #expect(tap.bytes == 0)
    }

    @Test func blankLinesBelongToTheRecordBeforeThem() {
        let tap = ReplayTap()
        tap.append("\n1\n\n2\n\r\n", 2)
        tap.trim(bytes: 4)
        #expect(tap.rewind(after: 1) == .unread(records: 1))
        #expect(tap.given == ["2\n\r\n:1"])
    }

    @Test func theLastRecordMayHaveNoNewline() {
        let tap = ReplayTap()
        tap.append("1\n2", 2)
        #expect(tap.rewind(after: 1) == .unread(records: 1))
        #expect(tap.given == ["2:1"])
        tap.append("2", 1)
        tap.trim(bytes: 0)
        #expect(tap.records == 0)
        #expect(tap.oldest == 2)
    }

    @Test(arguments: 0..<200) func agreesWithAnArray(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let tap = ReplayTap()
        var kept: [String] = []
        var delivered = 0
        for step in 0..<200 {
            let lines = (0..<Int.random(in: 0...4, using: &random)).map { "\(step).\($0)\n" }
            tap.append(lines.joined(), lines.count)
            kept += lines
            delivered += lines.count
            let (records, bytes) = (Int.random(in: 0...9, using: &random), Int.random(in: 0...60, using: &random))
            tap.trim(records: records, bytes: bytes)
            while kept.count > records || kept.joined().utf8.count > bytes { kept.removeFirst() }
            if Int.random(in: 0..<4, using: &random) == 0 {
                let received = Int.random(in: max(0, delivered - 12)...delivered + 1, using: &random)
                let rewind = tap.rewind(after: received)
                if received > delivered {
                    #expect(rewind == .neverSent)
                } else if received < delivered - kept.count {
                    #expect(rewind == .gone(from: delivered - kept.count + 1))
                } else {
                    let unread = delivered - received
                    #expect(rewind == .unread(records: unread))
                    if unread > 0 { #expect(tap.given.last == kept.suffix(unread).joined() + ":\(unread)") }
                    kept.removeLast(unread)
                    delivered = received
                }
            }
            #expect(tap.records == kept.count)
            #expect(tap.bytes == kept.joined().utf8.count)
            #expect(tap.delivered == delivered)
        }
    }

    // MARK: Events

    private func events(_ texts: [String]) -> ReplayTap {
        let tap = ReplayTap(framer: .events)
        for text in texts { tap.append(text, text.contains("data") ? 1 : 0) }
        return tap
    }

    @Test func theIdOfAnEventIsItsPosition() {
        let tap = events([
            "id: a\ndata: 1\n\n", ": comment\n", "data: 2\nid:b\n\n", "data: 3\n\n", "id: d\r\ndata: 4\r\n\r\n",
        ])
        #expect(tap.received(through: "a") == 1)
        #expect(tap.received(through: "b") == 2, "the event after it, without an id, is sent again")
        #expect(tap.received(through: "d") == 4)
        for unknown in ["", "c", "A", " a", "1"] { #expect(tap.received(through: unknown) == nil) }
    }

    @Test func theIdOfARemovedEventIsUnknown() {
        let tap = events(["id: 1\ndata: 1\n\n", "id: 2\ndata: 2\n\n", "id: 3\ndata: 3\n\n"])
        tap.trim(records: 2)
        #expect(tap.received(through: "1") == nil && tap.received(through: "2") == 2 && tap.received(through: "3") == 3)
    }

    @Test func anIdOfSeveralEventsIsUnknown() {
        let tap = events(["id: 1\ndata: 1\n\n", "id: 2\ndata: 2\n\n", "id: 1\ndata: 3\n\n"])
        #expect(tap.received(through: "1") == nil && tap.received(through: "2") == 2)
    }

    @Test func theIdOfABlockWithoutDataIsThePositionBeforeTheNextEvent() {
        let tap = events(["id: 1\ndata: 1\n\n", "id: x\n\n", "id: x\n\n", "data: 2\n\n"])
        #expect(tap.received(through: "x") == 1)
    }

    @Test func linesHaveNoIds() {
        let tap = ReplayTap()
        tap.append("id: 1\ndata: 1\n\n", 2)
        #expect(tap.received(through: "1") == nil)
    }
}

/// A buffer in a class, because `#expect` can look at no value that cannot be copied.
private final class ReplayTap {
    private var buffer: ReplayBuffer
    /// What it gave back, with the number of records.
    private(set) var given: [String] = []

    init(framer: RecordFramer = .lines) { buffer = ReplayBuffer(framer: framer) }

    var records: Int { buffer.records }
    var bytes: Int { buffer.bytes }
    var oldest: Int { buffer.oldest }
    var delivered: Int { buffer.delivered }

    func append(_ text: String, _ records: Int) {
        Array(text.utf8).withUnsafeBytes { buffer.append($0, records: records) }
    }

    func trim(records: Int = .max, bytes: Int = .max) { buffer.trim(records: records, bytes: bytes) }

    func received(through id: String) -> Int? {
        buffer.received(through: Array(id.utf8).withUnsafeBytes { RecordKey($0) })
    }

    func rewind(after received: Int) -> ReplayBuffer.Rewind {
        buffer.rewind(after: received) { given.append(String(decoding: $0, as: UTF8.self) + ":\($1)") }
    }
}
