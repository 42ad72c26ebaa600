package import Flow

/// What the requests of a route, of a client or of all come to.
package struct Figures: Equatable, Sendable {
    /// All that ended, refusals too.
    package private(set) var requests = 0
    /// Those of them that ran as streams, with terms.
    package private(set) var streams = 0
    package private(set) var records = 0
    package private(set) var bytes = 0
    /// How long the streams ran, one after the other.
    package private(set) var streamMicroseconds = 0
    /// The most records that any queue has held.
    package private(set) var bufferPeak = 0
    package private(set) var dropped = 0
    package private(set) var pauses = 0
    package private(set) var pausedMicroseconds = 0
    private var durations = DurationHistogram()
    private var ends = Counts<Outcome>()
    private var refusals = Counts<Problem.Kind>()

    package init() {}

    /// Counts one request.
    package mutating func add(_ line: LogLine) {
        requests += 1
        if let records = line.records {
            streams += 1
            self.records.addUpToMost(records)
            streamMicroseconds.addUpToMost(line.microseconds)
        }
        bytes.addUpToMost(line.bytes)
        bufferPeak = max(bufferPeak, line.bufferPeak)
        dropped.addUpToMost(line.dropped)
        pauses.addUpToMost(line.pauses)
        pausedMicroseconds.addUpToMost(line.pausedMicroseconds)
        ends.add(line.reason)
        if line.isRefusal { refusals.add(line.problem) }
        if line.reason != .refused { durations.add(line.microseconds) }
    }

    /// Counts all that others come to.
    mutating func add(_ other: Figures) {
        requests += other.requests
        streams += other.streams
        records.addUpToMost(other.records)
        bytes.addUpToMost(other.bytes)
        streamMicroseconds.addUpToMost(other.streamMicroseconds)
        bufferPeak = max(bufferPeak, other.bufferPeak)
        dropped.addUpToMost(other.dropped)
        pauses.addUpToMost(other.pauses)
        pausedMicroseconds.addUpToMost(other.pausedMicroseconds)
        durations.add(other.durations)
        ends.add(other.ends)
        refusals.add(other.refusals)
    }

    /// Of the requests that were not refused at the door; right within 0.8 %, in microseconds.
    package func duration(percentile: Double) -> Int? { durations.percentile(percentile) }

    /// How many ended like this; `nil` stands for every reason that this version does not know.
    package func ended(_ reason: Outcome?) -> Int { ends[reason] }

    /// How many were answered with this problem; `nil` stands for no type, or one that this version does not know.
    package func refused(_ problem: Problem.Kind?) -> Int { refusals[problem] }

    /// Records a second of a stream while it ran; zero before any has run.
    package var recordsPerSecond: Double { Self.rate(records, in: streamMicroseconds) }

    /// Records a second of all streams together, over a period.
    package func recordsPerSecond(over microseconds: Int) -> Double { Self.rate(records, in: microseconds) }

    private static func rate(_ records: Int, in microseconds: Int) -> Double {
        microseconds > 0 ? Double(records) * 1_000_000 / Double(microseconds) : 0
    }
}

/// What is counted one by one: few cases, in an array that is made once.
protocol Counted: Equatable, Sendable {
    static var kinds: [Self] { get }
}

extension Outcome: Counted {
    static let kinds = allCases
}

extension Problem.Kind: Counted {
    static let kinds = allCases
}

/// A count for each case of an enum, and one for what is none of them; nothing is kept before the first.
struct Counts<Key: Counted>: Equatable, Sendable {
    private var counts: [Int] = []

    subscript(key: Key?) -> Int { counts.isEmpty ? 0 : counts[Self.place(of: key)] }

    mutating func add(_ key: Key?) {
        makeRoom()
        counts[Self.place(of: key)] += 1
    }

    mutating func add(_ other: Counts) {
        guard !other.counts.isEmpty else { return }
        makeRoom()
        for place in counts.indices { counts[place] += other.counts[place] }
    }

    private mutating func makeRoom() {
        if counts.isEmpty { counts = Array(repeating: 0, count: Key.kinds.count + 1) }
    }

    private static func place(of key: Key?) -> Int {
        key.flatMap { Key.kinds.firstIndex(of: $0) } ?? Key.kinds.count
    }
}

extension Int {
    /// Adds what is not negative; stays at the most that there is, for a log may hold what nobody counted.
    mutating func addUpToMost(_ other: Int) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
