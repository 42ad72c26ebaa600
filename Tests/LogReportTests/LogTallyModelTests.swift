import Flow
import Observability
import TestSupport
import Testing

@testable import LogReport

/// Random lines beside a model that keeps every one of them.
@Suite struct LogTallyModelTests {
    /// Every line that counts, by the names that it counts for.
    private struct Model {
        var lines: [LogLine] = []
        var unknown = 0, passedOver = 0, filteredOut = 0

        func by(_ name: (LogLine) -> String) -> [String: [LogLine]] { Dictionary(grouping: lines, by: name) }
    }

    @Test(arguments: 0..<60) func agreesWithAModelThatKeepsEveryLine(seed: Int) {
        var random = SeededGenerator(seed: seed), model = Model()
        let filter = Self.filter(&random)
        var tally = LogTally(filter: filter)
        for _ in 0..<Int.random(in: 0...400, using: &random) {
            let line = Self.line(&random)
            let text = Self.text(of: line)
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                tally.add(Self.broken(text, &random))
                model.unknown += 1
            case 1:
                tally.add(text.replacing("\"end\"", with: Bool.random(using: &random) ? "\"start\"" : "\"progress\""))
                model.passedOver += 1
            default:
                tally.add(text)
                if filter.admitsPlainly(line) { model.lines.append(line) } else { model.filteredOut += 1 }
            }
        }
        let top = Int.random(in: 1...8, using: &random)
        let report = tally.report(top: top)
        #expect(report.lines.unknown == model.unknown)
        #expect(report.lines.passedOver == model.passedOver)
        #expect(report.lines.filteredOut == model.filteredOut)
        #expect(report.lines.counted == model.lines.count)
        #expect(report.lines.all == model.lines.count + model.unknown + model.passedOver + model.filteredOut)
        expect(report.totals, model.lines)
        expect(report.routes, model.by { $0.route ?? "-" }, top: top)
        expect(report.clients, model.by(\.client), top: top)
        let sent = model.lines.filter { $0.upstream != nil }
        expect(report.upstreams, Dictionary(grouping: sent) { $0.upstream ?? "" }, top: top)
        for hour in 0..<24 { expect(report.hours[hour], model.lines.filter { hourOfDay($0) == hour }) }
        expect(report.period, model.lines)
    }

    private func expect(_ ranking: LogReport.Ranking, _ groups: [String: [LogLine]], top: Int) {
        #expect(ranking.rows.count == min(top, groups.count))
        #expect(ranking.otherNames == max(0, groups.count - top))
        #expect(!ranking.isApproximate && ranking.shortfall == 0)
        for row in ranking.rows { expect(row.figures, groups[row.name] ?? []) }
        let named = Set(ranking.rows.map(\.name))
        let others = groups.filter { !named.contains($0.key) }
        expect(ranking.others, others.values.flatMap(\.self))
        let weights = ranking.rows.map(\.figures.records)
        #expect(weights == weights.sorted(by: >))
        let heaviestOther = others.values.map { $0.reduce(0) { $0 + ($1.records ?? 0) } }.max() ?? 0
        #expect(weights.allSatisfy { $0 >= heaviestOther })
    }

    private func expect(_ figures: Figures, _ lines: [LogLine]) {
        let streams = lines.filter { $0.records != nil }
        #expect(figures.requests == lines.count)
        #expect(figures.streams == streams.count)
        #expect(figures.records == lines.reduce(0) { $0 + ($1.records ?? 0) })
        #expect(figures.bytes == lines.reduce(0) { $0 + $1.bytes })
        #expect(figures.streamMicroseconds == streams.reduce(0) { $0 + $1.microseconds })
        #expect(figures.bufferPeak == lines.map(\.bufferPeak).max() ?? 0)
        #expect(figures.dropped == lines.reduce(0) { $0 + $1.dropped })
        #expect(figures.pauses == lines.reduce(0) { $0 + $1.pauses })
        #expect(figures.pausedMicroseconds == lines.reduce(0) { $0 + $1.pausedMicroseconds })
        for reason in Figures.reasons { #expect(figures.ended(reason) == lines.count { $0.reason == reason }) }
        for problem in Figures.problems {
            #expect(figures.refused(problem) == lines.count { isRefused($0) && $0.problem == problem })
        }
        #expect(figures.statuses.map(\.code) == Set(lines.map(\.status)).subtracting([0]).sorted())
        for (code, count) in figures.statuses { #expect(count == lines.count { $0.status == code }) }
        let durations = lines.filter { $0.reason != .refused }.map(\.microseconds).sorted()
        for part in [0.5, 0.99] {
            let reported = figures.duration(percentile: part)
            #expect((reported == nil) == durations.isEmpty)
            guard let reported else { continue }
            let exact = durations[max(1, Int((part * Double(durations.count)).rounded(.up))) - 1]
            #expect(abs(Double(reported - exact)) <= 0.01 * Double(exact))
        }
    }

    /// As the text of the line's time has it.
    private func hourOfDay(_ line: LogLine) -> Int? {
        Int(line.time.rfc3339.drop { $0 != "T" }.dropFirst().prefix { $0 != ":" })
    }

    /// With `bad-upstream` a request ends as `upstream_failed`, and a stream that breaks off was not refused.
    private func isRefused(_ line: LogLine) -> Bool {
        if line.reason == .refused { return true }
        return line.problem != nil && [429, 502, 504].contains(line.status) && line.records == nil
    }

    private func expect(_ period: LogReport.Period?, _ lines: [LogLine]) {
        let begins = lines.map { $0.time.millisecondsSince1970 - Int64($0.microseconds / 1000) }
        #expect(period?.from.millisecondsSince1970 == begins.min())
        #expect(period?.to.millisecondsSince1970 == lines.map(\.time.millisecondsSince1970).max())
    }

    // MARK: Random lines

    private static let beginning = 1_700_000_000_000 as Int64

    private static func filter(_ random: inout SeededGenerator) -> LogFilter {
        var filter = LogFilter()
        if Int.random(in: 0..<4, using: &random) == 0 { filter.routes = ["-", "/r1"] }
        if Int.random(in: 0..<4, using: &random) == 0 { filter.clients = ["c0", "c1", "c\"2\n"] }
        if Int.random(in: 0..<4, using: &random) == 0 { filter.reasons = [.completed, .refused] }
        if Int.random(in: 0..<4, using: &random) == 0 {
            let begin = Int64.random(in: 0...100_000_000, using: &random)
            filter.since = Timestamp(millisecondsSince1970: beginning + begin)
        }
        return filter
    }

    private static func line(_ random: inout SeededGenerator) -> LogLine {
        let reason = Figures.reasons.randomElement(using: &random) ?? nil
        let isStream = Bool.random(using: &random)
        return LogLine(
            time: Timestamp(millisecondsSince1970: beginning + Int64.random(in: 0...100_000_000, using: &random)),
            client: ["c0", "c1", "c\"2\n", "é", "a client with a long name"].randomElement(using: &random) ?? "",
            route: [nil, "/r1", "/r2", "/a route with a long name"].randomElement(using: &random) ?? nil,
            upstream: [nil, "127.0.0.1:9000", "[::1]:9001", "b.example:80"].randomElement(using: &random) ?? nil,
            reason: reason,
            problem: Figures.problems.randomElement(using: &random) ?? nil,
            status: [0, 200, 429, 502, 504].randomElement(using: &random) ?? 0,
            records: isStream ? Int.random(in: 0...100_000, using: &random) : nil,
            bytes: Int.random(in: 0...1_000_000_000, using: &random),
            microseconds: Int.random(in: 0...100_000_000, using: &random),
            bufferPeak: Int.random(in: 0...1000, using: &random),
            dropped: Bool.random(using: &random) ? 0 : Int.random(in: 1...1000, using: &random),
            pauses: Int.random(in: 0...100, using: &random),
            pausedMicroseconds: Int.random(in: 0...10_000_000, using: &random))
    }

    private static func text(of line: LogLine) -> String {
        var json = JSONText()
        json.add("time", line.time.rfc3339)
        json.add("event", "end")
        json.add("client", line.client)
        if let route = line.route { json.add("route", route) }
        if let upstream = line.upstream { json.add("upstream", upstream) }
        if let records = line.records { json.add("records", records) }
        json.add("bytes", line.bytes)
        json.add("duration", seconds: .microseconds(line.microseconds))
        json.add("buffer_peak", line.bufferPeak)
        json.add("pauses", line.pauses)
        json.add("paused", seconds: .microseconds(line.pausedMicroseconds))
        if line.dropped > 0 { json.add("dropped", line.dropped) }
        json.add("reason", line.reason?.rawValue ?? "abducted")
        json.add("problem", line.problem?.rawValue ?? "bad-weather")
        if line.status != 0 { json.add("status", line.status) }
        return String(decoding: json.closed(), as: UTF8.self)
    }

    /// Torn, two in one, or no UTF-8.
    private static func broken(_ text: String, _ random: inout SeededGenerator) -> [UInt8] {
        let bytes = Array(text.utf8)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return Array(bytes[..<Int.random(in: 0..<bytes.count, using: &random)])
        case 1: return bytes + bytes
        default: return bytes.dropLast(2) + [0xC3, UInt8(ascii: "\""), UInt8(ascii: "}")]
        }
    }
}

extension LogFilter {
    /// Said once more, in other words.
    fileprivate func admitsPlainly(_ line: LogLine) -> Bool {
        let isLate = since.map { line.time.millisecondsSince1970 >= $0.millisecondsSince1970 } ?? true
        let isOfRoute = routes.isEmpty || routes.contains(line.route ?? "-")
        let isOfClient = clients.isEmpty || clients.contains(line.client)
        let hasReason = reasons.isEmpty || reasons.contains { $0 == line.reason }
        return isLate && isOfRoute && isOfClient && hasReason
    }
}
