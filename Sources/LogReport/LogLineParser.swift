import CSimdJSON
import Flow
import Observability

/// Reads lines of the access log, each in one pass by simdjson over the needed members.
///
/// A line counts if it is one JSON object with `time`, `event` and, at an end, `client` and `reason`, each of the right
/// type, no number is negative or absurd, and no name is longer than 1 KiB. Other members, their order and their spelling do not matter.
///
/// The costs are measured in docs/LOGS.md.
package struct LogLineParser {
    /// In the order in which the log writes them.
    private static let names: [StaticString] = [
        "time", "event", "client", "route", "records", "bytes", "duration", "buffer_peak", "pauses", "paused",
        "dropped", "reason", "problem", "status", "upstream", "cause",
    ]

    private enum Index {
        static let time = 0, event = 1, client = 2, route = 3, records = 4, bytes = 5, duration = 6, bufferPeak = 7
        static let pauses = 8, paused = 9, dropped = 10, reason = 11, problem = 12
        static let status = 13, upstream = 14, cause = 15
    }

    /// The largest number that a double represents exactly, above any count in a log.
    private static let largestCount = 9_007_199_254_740_992.0
    /// The most bytes of a client, route or upstream: a report keeps each different one.
    private static let longestName = 1024
    /// 31 years, for which a double still has microseconds.
    private static let longestSeconds = 1e9

    private let names: [weir_json_name]
    private var members: [weir_json_member]

    package init() {
        names = Self.names.map { name in
            name.withUTF8Buffer { bytes in
                // A static string outlives everything, its pointer too.
                weir_json_name(
                    text: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), length: bytes.count)
            }
        }
        members = Array(repeating: weir_json_member(), count: names.count)
    }

    /// Classifies a line without its newline.
    ///
    /// - Complexity: O(`line.count`), without an allocation except for names longer than 15 bytes.
    package mutating func parse(_ line: UnsafeRawBufferPointer) -> LogLineKind {
        guard !line.isEmpty,
            weir_json_members(
                names, names.count, line.assumingMemoryBound(to: CChar.self).baseAddress, line.count, &members),
            let time = text(Index.time).flatMap(Timestamp.init(rfc3339:)), let event = text(Index.event)
        else { return .unknown }
        if event.elementsEqual("end".utf8) { return end(at: time) }
        return event.elementsEqual("start".utf8) || event.elementsEqual("progress".utf8) ? .passedOver : .unknown
    }

    private func end(at time: Timestamp) -> LogLineKind {
        guard [Index.client, Index.route, Index.upstream].allSatisfy({ (text($0)?.count ?? 0) <= Self.longestName }),
            let client = string(Index.client), let reason = string(Index.reason),
            let records = count(Index.records), let bytes = count(Index.bytes),
            let microseconds = span(Index.duration), let bufferPeak = count(Index.bufferPeak),
            let pauses = count(Index.pauses), let paused = span(Index.paused),
            let dropped = count(Index.dropped), let status = count(Index.status)
        else { return .unknown }
        return .end(
            LogLine(
                time: time, client: client, route: string(Index.route), upstream: string(Index.upstream),
                reason: Outcome(rawValue: reason),
                problem: string(Index.problem).flatMap(Problem.Kind.init(rawValue:)),
                hasCause: text(Index.cause) != nil,
                cause: string(Index.cause).flatMap(UpstreamCause.init(rawValue:)), status: status,
                records: members[Index.records].kind == weir_json_none ? nil : records, bytes: bytes,
                microseconds: microseconds, bufferPeak: bufferPeak, dropped: dropped, pauses: pauses,
                pausedMicroseconds: paused))
    }

    private func text(_ index: Int) -> UnsafeRawBufferPointer? {
        let member = members[index]
        guard member.kind == weir_json_string else { return nil }
        return UnsafeRawBufferPointer(start: member.text, count: member.length)
    }

    private func string(_ index: Int) -> String? {
        text(index).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A missing number counts as zero; `nil` for an invalid one.
    private func number(_ index: Int, atMost most: Double) -> Double? {
        let member = members[index]
        guard member.kind != weir_json_string else { return nil }
        guard member.kind == weir_json_literal else { return 0 }
        return member.number >= 0 && member.number <= most ? member.number : nil
    }

    private func count(_ index: Int) -> Int? {
        number(index, atMost: Self.largestCount).map { Int($0) }
    }

    /// In microseconds.
    private func span(_ index: Int) -> Int? {
        number(index, atMost: Self.longestSeconds).map { Int(($0 * 1_000_000).rounded()) }
    }
}
