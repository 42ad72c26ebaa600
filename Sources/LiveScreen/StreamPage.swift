import PlainText

/// The page of one stream.
struct StreamPage {
    private let watched: WatchedStream

    init(_ watched: WatchedStream) { self.watched = watched }

    func lines(columns: Int) -> [ScreenLine] {
        var lines: [ScreenLine] = []
        switch watched.phase {
        case .open: break
        case .confirming:
            lines.append(
                ScreenLine("End this stream after its last whole record?  y: yes, any other key: no", .warning))
        case .ending: lines.append(ScreenLine("ending it", .warning))
        case .ended: lines.append(ScreenLine("it was ended; its last state:", .warning))
        case .gone: lines.append(ScreenLine("it has ended; its last state:", .warning))
        }
        if let failure = watched.failure { lines.append(ScreenLine(Printable.message(failure), .alarm)) }
        guard let detail = watched.detail else { return lines + [ScreenLine("requesting its state")] }
        lines.append(ScreenLine("stream of \(Printable.name(detail.stream.client))", .heading))
        lines += Self.members(of: detail).map { ScreenLine("\($0.padded(to: 11))\($1)") }
        return lines + [ScreenLine("")] + Self.pauses(of: detail, columns: columns)
    }

    private static func members(of detail: StreamDetail) -> [(String, String)] {
        let stream = detail.stream
        return [
            ("state", Printable.name(stream.state)), ("route", Printable.name(stream.route)),
            ("path", Printable.name(detail.path)), ("upstream", detail.upstream.map(Printable.name) ?? "-"),
            ("rate", Printable.name(stream.rate)),
            ("delivered", "\(Printable.count(stream.records, "record")), \(Printable.bytes(stream.bytes))"),
            ("buffer", "\(Printable.count(stream.bufferRecords)) of \(Printable.count(stream.buffer)) records"),
            ("open for", Printable.span(stream.duration)),
            ("paused", "\(Printable.count(detail.pauseCount, "time")), \(Printable.span(stream.paused)) in all"),
            ("dropped", Printable.count(detail.dropped, "record")),
            ("resumed", Printable.count(detail.resumptions, "time")),
        ]
    }

    /// The last pauses, the newest first; empty if there was none.
    private static func pauses(of detail: StreamDetail, columns: Int) -> [ScreenLine] {
        let pauses = Array(detail.pauses.reversed())
        guard !pauses.isEmpty else { return [] }
        let table = Table(
            title: "paused after", names: pauses.map { Printable.span($0.start) },
            columns: [
                Table.Column(title: "for", cells: pauses.map { length(of: $0) }),
                Table.Column(title: "cause", cells: pauses.map { Printable.name($0.cause) }, isText: true),
            ])
        return table.oneBand(width: columns).enumerated().map { ScreenLine($1, $0 == 0 ? .heading : .plain) }
    }

    private static func length(of pause: StreamDetail.Pause) -> String {
        // A malformed number must not trap.
        let microseconds = Int(min(max(0, pause.seconds), 1e9) * 1_000_000)
        return Printable.duration(microseconds) + (pause.running == true ? " so far" : "")
    }
}
