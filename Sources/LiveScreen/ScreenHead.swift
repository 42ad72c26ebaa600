import HTTPText
import PlainText

/// The lines above the tables: the state of weir, its totals, and what is wrong.
struct ScreenHead {
    /// The address of the admin listener.
    let address: String
    /// `nil` before the first one.
    let snapshot: AdminSnapshot?
    /// Why the last request failed.
    let failure: String?
    let isPaused: Bool

    func lines(columns: Int) -> [ScreenLine] {
        let address = Printable.name(address)
        let failing = failure.map { [ScreenLine(Printable.message($0), .alarm)] } ?? []
        guard let snapshot else {
            return [ScreenLine("weir top  \(address)", .heading)]
                + (failing.isEmpty ? [ScreenLine("connecting")] : failing)
        }
        let name =
            "weir \(Printable.name(snapshot.version))  \(Printable.name(snapshot.state))  up \(Printable.span(snapshot.uptime))"
        // The time of day in the RFC 3339 text.
        let clock = Printable.name(String(snapshot.time.dropFirst(11).prefix(8)))
        let title = name.beside((isPaused ? "paused  " : "") + "\(address)  \(clock)Z", columns: columns)
        return [ScreenLine(title, snapshot.state == "ready" ? .heading : .warning)] + failing
            + [ScreenLine(Self.flow(snapshot)), ScreenLine(Self.buffer(snapshot.totals, columns: columns))]
            + Self.refusals(snapshot) + Self.configuration(snapshot.configuration) + Self.replicas(snapshot.replicas)
    }

    private static func flow(_ snapshot: AdminSnapshot) -> String {
        let totals = snapshot.totals, open = snapshot.breakers.count
        return "streams \(Printable.count(totals.activeStreams))   records/s \(Printable.rate(totals.recordsPerSecond))"
            + "   bytes/s \(Printable.bytes(totals.bytesPerSecond))   breakers "
            + (open == 0 ? "all closed" : "\(open) not closed")
    }

    /// As `buffer [####......] 40 %  4 of 10 records, 1.20 KiB`.
    private static func buffer(_ totals: AdminSnapshot.Totals, columns: Int) -> String {
        // The higher utilisation of both bounds.
        let part = max(
            part(totals.bufferRecords, of: totals.bufferCapacityRecords),
            part(totals.bufferBytes, of: totals.bufferCapacityBytes))
        let figures =
            " \(Int((part * 100).rounded(.down))) %  \(Printable.count(totals.bufferRecords)) of "
            + "\(Printable.count(totals.bufferCapacityRecords)) records, \(Printable.bytes(totals.bufferBytes))"
        let width = min(40, max(0, columns - figures.count - 9)), filled = Int((part * Double(width)).rounded())
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        return "buffer [\(bar)]\(figures)"
    }

    private static func part(_ amount: Int, of capacity: Int) -> Double {
        capacity > 0 ? min(1, max(0, Double(amount) / Double(capacity))) : 0
    }

    private static func refusals(_ snapshot: AdminSnapshot) -> [ScreenLine] {
        guard snapshot.totals.refusals > 0 else { return [ScreenLine("refused 0")] }
        var counts: [String: Int] = [:]
        for route in snapshot.routes {
            for (cause, count) in route.refused { counts[cause, default: 0].addUpToMost(count) }
        }
        let causes = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\(Printable.name($0.key)) \(Printable.count($0.value))" }
        return [ScreenLine("refused \(Printable.count(snapshot.totals.refusals)): \(causes.joined(separator: ", "))")]
    }

    /// Empty if the last reload was accepted and all streams have its limits.
    private static func configuration(_ configuration: AdminSnapshot.Configuration) -> [ScreenLine] {
        var notes: [String] = []
        let isRefused = configuration.lastReload == "refused"
        if isRefused { notes.append("the last reload was refused") }
        if configuration.olderStreams > 0 {
            notes.append(
                "\(Printable.count(configuration.olderStreams, "stream")) from older ones, open for up to "
                    + Printable.span(configuration.oldest))
        }
        guard !notes.isEmpty else { return [] }
        let text = "configuration \(configuration.generation): \(notes.joined(separator: "; "))"
        return [ScreenLine(text, isRefused ? .warning : .plain)]
    }

    private static func replicas(_ replicas: AdminSnapshot.Replicas?) -> [ScreenLine] {
        guard let replicas else { return [] }
        let failures = replicas.failures ?? 0
        let text =
            "replicas \(Printable.count(replicas.count))\(replicas.shared ? "" : ": limits are not shared")"
            + (replicas.name.map { "   this is \(Printable.name($0))" } ?? "")
            + (failures > 0 ? "   \(Printable.count(failures, "failure"))" : "")
        return [ScreenLine(text, replicas.shared ? .plain : .warning)]
    }
}
