import PlainText

/// The keys, and the words of the tables.
enum HelpPage {
    static let lines: [ScreenLine] =
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
}
