import Foundation
import Testing

@testable import LiveScreen

@Suite struct ScreenTests {
    @Test func beforeTheFirstAnswerItShowsThatItWaits() {
        #expect(
            Screen.fresh.text(columns: 40, rows: 4) == [
                "weir top  127.0.0.1:9090", "connecting", "", " q quit   ? help   p pause   < > order: ",
            ])
    }

    @Test func aFailureIsShownAboveTheLastSnapshot() throws {
        var screen = Screen.fresh
        screen.fail("no answer: refused\u{1b}[2J")
        #expect(screen.text(columns: 80, rows: 4)[1] == #"no answer: refused\u{1b}[2J"#)
        screen = try .showing(.busy)
        let known = screen.text(columns: 80, rows: 24)
        screen.fail("no answer")
        let lines = screen.text(columns: 80, rows: 24)
        #expect(lines[1] == "no answer" && lines[2] == known[1])
        screen.take(try SnapshotText.busy.read(), at: 2)
        #expect(screen.text(columns: 80, rows: 24) == known)
    }

    @Test func aPausedScreenStaysAndShowsThePause() throws {
        var screen = try Screen.showing(.busy)
        #expect(screen.press(UInt8(ascii: "p")) == .draw)
        let before = screen.text(columns: 80, rows: 24)
        #expect(before[0].contains("paused  127.0.0.1:9090") && before[23].contains("p resume"))
        screen.take(try SnapshotText().read(), at: 3)
        #expect(screen.text(columns: 80, rows: 24) == before)
        #expect(screen.press(UInt8(ascii: "p")) == .draw)
        #expect(screen.text(columns: 80, rows: 24)[1].hasPrefix("streams 0 "))
    }

    @Test func routesAreSortedByWhatIsChosen() throws {
        var screen = try Screen.showing(.busy)
        func first() -> String { screen.text(columns: 80, rows: 24)[6] }
        #expect(first().hasPrefix("/v1/orders/stream"))
        // From the beginning to the end of the orders: what was refused, the most first.
        #expect(screen.press(UInt8(ascii: "<")) == .draw)
        #expect(screen.order == .refused)
        #expect(first().hasPrefix("/v1/orders/stream"))
        for _ in 0..<3 { #expect(screen.press(UInt8(ascii: ">")) == .draw) }
        #expect(screen.order == .records)
        var busier = SnapshotText.busy
        busier.routes.append(SnapshotText.route("/late", records: 1e9))
        screen.take(try busier.read(), at: 2)
        #expect(first().hasPrefix("/late"))
    }

    @Test func tabShowsOneTableAlone() throws {
        var screen = try Screen.showing(.busy)
        func titles() -> [String] {
            screen.lines(columns: 80, rows: 24).dropFirst().filter { $0.weight == .heading }.map {
                String($0.text.prefix(7))
            }
        }
        #expect(titles() == ["route  ", "breaker", "slowest"])
        var seen: [[String]] = []
        for _ in 0..<5 {
            #expect(screen.press(UInt8(ascii: "\t")) == .draw)
            seen.append(titles())
        }
        #expect(seen == [["route  "], ["upstrea"], ["breaker"], ["shared "], ["slowest"]])
        #expect(screen.press(UInt8(ascii: "\t")) == .draw)
        #expect(screen.focus == .all)
    }

    @Test func sharedRequestsAreShownWithTheirReaders() throws {
        var text = SnapshotText.busy
        text.pulls = [
            SnapshotText.pull("/v1/prices", readers: 1200, lag: 7),
            SnapshotText.pull("/v1/late", readers: 1, paused: true),
        ]
        let lines = try Screen.showing(text).lines(columns: 100, rows: nil)
        let rows = lines.filter { $0.text.hasPrefix("/v1/prices") || $0.text.hasPrefix("/v1/late") }
        #expect(rows.map(\.weight) == [.plain, .warning])
        #expect(rows.first?.text.contains("1,200") ?? false)
        #expect(rows.last?.text.contains("paused") ?? false)
        // An older weir has no such member.
        let older = text.json.replacing(#","pulls":["#, with: #","others":["#)
        #expect(try #require(AdminSnapshot(json: Array(older.utf8))).pulls == nil)
    }

    @Test func theReplicasAreShownIfLimitsAreShared() throws {
        var text = SnapshotText()
        text.replicas = #"{"name":"edge1:9x","count":3,"shared":true,"failures":0}"#
        let line = try Screen.showing(text).text(columns: 80, rows: 24)[4]
        #expect(line.hasPrefix("replicas 3   this is edge1:9x"))
        text.replicas = #"{"name":"edge1:9x","count":3,"shared":false,"failures":2}"#
        let other = try Screen.showing(text).text(columns: 80, rows: 24)[4]
        #expect(other.hasPrefix("replicas 3: limits are not shared   this is edge1:9x   2 failures"))
    }

    @Test func otherKeysMeanNothing() {
        let meant = (UInt8.min...UInt8.max).filter { key in
            var screen = Screen.fresh
            return screen.press(key) != nil
        }
        #expect(meant == [0x09, 0x0c, 0x1a, 0x20, 0x3c, 0x3e, 0x3f, 0x51, 0x68, 0x70, 0x71])
    }

    /// Whatever its size, a screen has its lines, none longer than it is wide, and nothing that steers a terminal.
    @Test func everyScreenFits() throws {
        var hostile = SnapshotText.busy
        hostile.routes += (0..<40).map {
            SnapshotText.route("/\\u001b]0;x\\u0007\\u009b\($0)\\ud83d\\ude00", refused: #""\u001b[m":1"#)
        }
        hostile.slowest += (0..<50).map { SnapshotText.stream("\\u0000\\r\\n\($0)", state: "\\u001b", buffered: $0) }
        hostile.state = "\\u001b[31m"
        let screen = try Screen.showing(hostile)
        for columns in [1, 2, 10, 39, 40, 79, 80, 81, 120, 300] {
            for rows in [1, 2, 3, 5, 8, 24, 50, 200] {
                let lines = screen.text(columns: columns, rows: rows)
                #expect(lines.count == rows)
                #expect(lines.allSatisfy { $0.count <= columns })
                #expect(lines.joined().unicodeScalars.allSatisfy { (" "..."~").contains($0) })
            }
        }
    }

    @Test func weightsAreDrawnWithoutColourToo() {
        #expect(ScreenLine("a", .plain).drawn(hasColour: true) == "a")
        #expect(ScreenLine("a", .alarm).drawn(hasColour: true) == "\u{1b}[1;31ma\u{1b}[0m")
        #expect(ScreenLine("a", .alarm).drawn(hasColour: false) == "\u{1b}[1ma\u{1b}[0m")
        #expect(ScreenLine("a", .warning).drawn(hasColour: false) == "a")
    }

    @Test func anUpstreamThatFailsIsAnAlarm() throws {
        var snapshot = try SnapshotText.busy.read()
        let text = """
            [{"route":"/v1/orders","upstream":"http://a:1","state":"up","openRequests":3,"requests":9,"failures":0,\
            "firstByte":0.012},{"route":"/v1/orders","upstream":"http://b:1","state":"ejected","openRequests":0,\
            "requests":9,"failures":7,"lastFailure":{"cause":"connection_refused","text":"x","ago":4.2}}]
            """
        snapshot.upstreams = try JSONDecoder().decode([AdminSnapshot.Upstream].self, from: Data(text.utf8))
        var screen = Screen.fresh
        screen.take(snapshot, at: 1)
        let lines = screen.lines(columns: 120, rows: nil)
        let failing = try #require(lines.first { $0.text.hasPrefix("http://b:1") })
        #expect(failing.weight == .alarm)
        #expect(failing.text.contains("connection_refused 4"))
        #expect(lines.contains { $0.text.hasPrefix("http://a:1") && $0.text.contains("12 ms") && $0.weight == .plain })
    }
}
