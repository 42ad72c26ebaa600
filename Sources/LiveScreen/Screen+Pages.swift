import PlainText

// The pages that are shown instead of the tables.

extension Screen {
    static let help: [ScreenLine] =
        [ScreenLine("Keys", .heading)]
        + [
            ("q, Ctrl-C", "ends weir top"),
            ("p, space", "freezes the screen, or continues"),
            ("< >", "order of the routes"),
            ("Tab", "one table alone, then the next, then all"),
            ("Up, Down", "select a row; PgUp and PgDn by ten, Home and End the first and the last one"),
            ("Enter", "shows the selected stream"),
            ("e", "ends the stream that is shown, after a question; needs the admin_token"),
            ("Esc", "back"),
            ("Ctrl-L, Ctrl-Z", "draws again; suspends"),
        ].map { ScreenLine("  \($0.0.padded(to: 16))\($0.1)") }
        + [
            ScreenLine(""), ScreenLine("States of a stream", .heading),
            ScreenLine("  slow            its client does not take what is due"),
            ScreenLine("  paused          its queue is full, its upstream waits"),
            ScreenLine("  held            its client has paused it, or has no credit left"),
            ScreenLine("  detached        it has no client at the moment"),
            ScreenLine("  waiting         not admitted yet; pending: its upstream has not responded"),
        ]

    /// The page of one stream.
    func lines(of watched: WatchedStream, columns: Int) -> [ScreenLine] {
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
        if let failure = watched.failure { lines.append(ScreenLine(Self.cleaned(failure), .alarm)) }
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
            ("open for", span(stream.duration)),
            ("paused", "\(Printable.count(detail.pauseCount, "time")), \(span(stream.paused)) in all"),
            ("dropped", Printable.count(detail.dropped, "record")),
            ("resumed", Printable.count(detail.resumptions, "time")),
        ]
    }

    /// The last pauses, the newest first; empty if there was none.
    private static func pauses(of detail: StreamDetail, columns: Int) -> [ScreenLine] {
        let pauses = Array(detail.pauses.reversed())
        guard !pauses.isEmpty else { return [] }
        let table = Table(
            title: "paused after", names: pauses.map { span($0.start) },
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
