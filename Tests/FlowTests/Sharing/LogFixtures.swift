import HTTPText
import TestSupport

@testable import Flow

extension RecordCutter {
    /// Pushes a text; `nil` if no record is whole.
    mutating func push(_ text: String, at now: Instant = .seconds(0)) -> LogSegment? {
        Array(text.utf8).withUnsafeBytes { push($0) }
        return cut(at: now)
    }
}

extension SharedLog {
    /// Appends lines as one segment.
    mutating func append(lines: [String], at now: Instant = .seconds(0), keys: (any RecordKeyReader)? = nil) {
        var cutter = RecordCutter(framer: .lines, maximum: .mebibytes(1), keys: keys)
        if let segment = cutter.push(lines.map { $0 + "\n" }.joined(), at: now) { append(segment) }
    }
}

extension SharedLog.Slice {
    var text: String { String(decoding: segment.bytes[range], as: UTF8.self) }
}

extension LogSegment {
    var bytes: [UInt8] { chunk.withBytes { Array($0) } }
}

/// The key of a line is its first character; a line that begins with `-` has no key.
struct FirstCharacterKeys: RecordKeyReader {
    func key(of record: UnsafeRawBufferPointer) -> RecordKey? {
        guard let first = record.first, first != UInt8(ascii: "-") else { return nil }
        return RecordKey(UnsafeRawBufferPointer(rebasing: record[..<1]))
    }
}

/// A reader that collects what it gets.
struct CollectingReader {
    var reading: SharedReading
    var lines: [String] = []
    var lost: [Range<Int>] = []
    var hasEnded = false

    init?(_ join: JoinPoint, lag: Lag = .gap, in log: SharedLog) {
        guard let reading = SharedReading(join, lag: lag, in: log) else { return nil }
        self.reading = reading
    }

    /// Reads at most a number of pieces; all if `nil`.
    mutating func read(_ log: SharedLog, pieces: Int = .max) {
        var pieces = pieces
        while pieces > 0 {
            pieces -= 1
            switch reading.next(in: log) {
            case .wait: return
            case .lost(let range): lost.append(range)
            case .end:
                hasEnded = true
                return
            case .pass(let slice):
                let text = slice.text.split(separator: "\n").map(String.init)
                precondition(text.count == slice.records, "a slice counts its records")
                lines += text
            }
        }
    }
}
