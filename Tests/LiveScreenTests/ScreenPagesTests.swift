import Testing

@testable import LiveScreen

/// The selection, the page of a stream, and the help.
@Suite struct ScreenPagesTests {
    private static func many(_ count: Int) -> SnapshotText {
        var text = SnapshotText.busy
        text.slowest = (0..<count).map {
            SnapshotText.stream("10.0.0.\($0)", state: "flowing", buffered: 3, id: "id-\($0)")
        }
        return text
    }

    private static let detail = """
        {"id":"id-1","route":"/v1","client":"10.0.0.1\\u001b[2J","state":"slow","rate":"10/second","records":12003,\
        "bytes":123456,"buffer":100,"bufferRecords":100,"paused":245,"duration":3720.25,"path":"/v1/orders",\
        "dropped":7,"resumptions":1,"pauseCount":2,"pauses":[{"cause":"pace","start":12.5,"seconds":0.25},\
        {"cause":"client","start":3600,"seconds":120.5,"running":true}]}
        """

    private static func answer() throws -> StreamDetail { try #require(StreamDetail(json: Array(detail.utf8))) }

    private func selected(_ screen: Screen) -> [String] {
        screen.lines(columns: 100, rows: 24).filter { $0.weight == .selected }.map {
            String($0.text.prefix { $0 != " " })
        }
    }

    @Test func theArrowsSelectARowAndTheTableFollows() throws {
        var screen = try Screen.showing(Self.many(50))
        #expect(selected(screen) == [])
        #expect(screen.press(.down) == .draw)
        #expect(screen.focus == .streams && selected(screen) == ["10.0.0.0"])
        for (key, row) in [
            (Key.down, 1), (.up, 0), (.up, 0), (.pageDown, 10), (.end, 49), (.down, 49), (.pageUp, 39), (.home, 0),
        ] {
            #expect(screen.press(key) == .draw)
            #expect(selected(screen) == ["10.0.0.\(row)"], "\(key)")
            let lines = screen.text(columns: 100, rows: 24)
            #expect(lines.count == 24 && lines.contains { $0.hasPrefix("slowest client") })
            #expect(lines.contains { $0.hasSuffix(" of 50)") })
        }
        #expect(screen.press(.character(0x09)) == .draw)
        #expect(selected(screen) == [])
        #expect(screen.press(.escape) == .draw)
        #expect(screen.focus == .all)
    }

    @Test func aSelectionStaysInATableThatShrinks() throws {
        var screen = try Screen.showing(Self.many(50))
        for _ in 0..<2 { _ = screen.press(.end) }
        screen.take(try Self.many(3).read(), at: 2)
        #expect(selected(screen) == ["10.0.0.2"])
        screen.take(try Self.many(0).read(), at: 3)
        #expect(selected(screen) == [] && screen.press(.enter) == nil)
        #expect(screen.press(.up) == .draw)
    }

    @Test func enterShowsTheSelectedStream() throws {
        var screen = try Screen.showing(Self.many(3))
        #expect(screen.press(.enter) == nil && screen.watchedStream == nil)
        _ = screen.press(.down)
        _ = screen.press(.down)
        #expect(screen.press(.enter) == .look("id-1") && screen.watchedStream == "id-1")
        #expect(screen.text(columns: 80, rows: 30).contains("requesting its state"))
        screen.take(.open(try Self.answer()), of: "another")
        #expect(screen.text(columns: 80, rows: 30).contains("requesting its state"))
        screen.take(.open(try Self.answer()), of: "id-1")
        let lines = screen.text(columns: 80, rows: 30)
        for line in [
            #"stream of 10.0.0.1\u{1b}[2J"#, "path       /v1/orders", "upstream   -",
            "delivered  12,003 records, 121 KiB",
            "buffer     100 of 100 records", "paused     2 times, 4m05s in all", "resumed    1 time",
        ] { #expect(lines.contains(line), "\(line)") }
        let first = try #require(lines.firstIndex { $0.hasPrefix("1h00m") })
        #expect(lines[first].contains("2m01s so far  client") && lines[first + 1].contains("250ms  pace"))
        #expect(screen.press(.escape) == .draw && screen.watchedStream == nil)
        #expect(selected(screen) == ["10.0.0.1"])
    }

    @Test func aStreamIsEndedAfterAQuestionOnly() throws {
        var text = Self.many(3)
        text.actions = true
        var screen = try Screen.showing(text)
        _ = screen.press(.down)
        _ = screen.press(.enter)
        screen.take(.open(try Self.answer()), of: "id-0")
        #expect(screen.press("e") == .draw)
        #expect(screen.text(columns: 80, rows: 30).contains { $0.hasPrefix("End this stream") })
        #expect(screen.press("n") == .draw && screen.press("y") == nil)
        _ = screen.press("e")
        #expect(screen.press("y") == .end("id-0"))
        screen.take(.failed("no answer"), of: "id-0")
        #expect(screen.text(columns: 80, rows: 30).contains("no answer"))
        _ = screen.press("e")
        #expect(screen.press("y") == .end("id-0"))
        screen.take(.open(try Self.answer()), of: "id-0")
        screen.take(.ended(try Self.answer()), of: "id-0")
        #expect(screen.text(columns: 80, rows: 30).contains("it was ended; its last state:"))
        #expect(screen.watchedStream == nil && screen.press("e") == nil)
    }

    @Test func withoutATokenNoStreamIsEnded() throws {
        var screen = try Screen.showing(Self.many(3))
        _ = screen.press(.down)
        _ = screen.press(.enter)
        #expect(screen.press("e") == nil)
        #expect(screen.text(columns: 80, rows: 30).last?.contains("admin_token needed") ?? false)
    }

    @Test func aStreamThatEndsKeepsItsLastState() throws {
        var screen = try Screen.showing(Self.many(3))
        _ = screen.press(.down)
        _ = screen.press(.enter)
        screen.take(.open(try Self.answer()), of: "id-0")
        screen.take(.gone, of: "id-0")
        let lines = screen.text(columns: 80, rows: 30)
        #expect(lines.contains("it has ended; its last state:") && lines.contains("path       /v1/orders"))
        #expect(screen.watchedStream == nil)
    }

    @Test func aPausedScreenRequestsNothing() throws {
        var screen = try Screen.showing(Self.many(3))
        _ = screen.press(.down)
        _ = screen.press(.enter)
        #expect(screen.press("p") == .draw && screen.watchedStream == nil)
        #expect(screen.press("p") == .draw && screen.watchedStream == "id-0")
    }

    @Test func theHelpNamesTheKeysAndAnyKeyClosesIt() throws {
        var screen = try Screen.showing(.busy)
        #expect(screen.press("?") == .draw)
        let lines = screen.text(columns: 80, rows: 30)
        #expect(lines.contains { $0.hasPrefix("  Enter ") } && lines.contains { $0.hasPrefix("  slow ") })
        #expect(!lines.contains { $0.hasPrefix("slowest client") })
        #expect(screen.press("x") == .draw)
        #expect(screen.text(columns: 80, rows: 30).contains { $0.hasPrefix("slowest client") })
        #expect(screen.press("h") == .draw && screen.press("q") == .quit)
    }

    @Test func everyPageFits() throws {
        var text = Self.many(50)
        text.actions = true
        for size in [(1, 1), (10, 3), (40, 8), (200, 60)] {
            var screen = try Screen.showing(text)
            for key in [Key.down, .enter, .character(0x65), .escape, .escape, .character(0x3f)] {
                _ = screen.press(key)
                screen.take(.open(try Self.answer()), of: "id-0")
                let lines = screen.text(columns: size.0, rows: size.1)
                #expect(lines.count == size.1 && lines.allSatisfy { $0.count <= size.0 })
            }
        }
    }
}
