import Testing

@testable import LiveScreen

/// Numbers that weir does not send: another process may listen at the address.
@Suite struct HostileNumbersTests {
    private static let fractions = ["1e300", "-1e300", "1.7e308", "0.0"]
    private static let wholes = ["\(Int.max)", "\(Int.min)", "0"]

    /// A text in which every number is one of these.
    private func hostile(_ json: String, _ fraction: String, _ whole: String) -> [UInt8] {
        let fractions = json.replacing(/":-?[0-9]+\.[0-9]+/, with: "\":\(fraction)")
        return Array(fractions.replacing(/":-?[0-9]+(?=[,}])/, with: "\":\(whole)").utf8)
    }

    @Test(arguments: fractions, wholes) func everyTableIsDrawn(fraction: String, whole: String) throws {
        var text = SnapshotText.busy
        (text.olderStreams, text.totals.refusals) = (1, 1)
        text.replicas = #"{"name":"edge1","count":3,"shared":false,"failures":2}"#
        text.pulls = [SnapshotText.pull("/prices", readers: 2)]
        let upstream = """
            {"route":"/","upstream":"http://a:1","state":"up","openRequests":3,"requests":9,"failures":1,\
            "firstByte":0.012,"lastFailure":{"cause":"timeout","ago":4.2}}
            """
        let json = "{\"upstreams\":[\(upstream)]," + text.json.dropFirst()
        let snapshot = try #require(AdminSnapshot(json: hostile(json, fraction, whole)))
        var screen = Screen.fresh
        for time in 0..<3 { screen.take(snapshot, at: Double(time)) }
        for _ in Screen.Focus.allCases {
            let lines = screen.text(columns: 120, rows: 40)
            #expect(lines.count == 40 && lines.allSatisfy { $0.count <= 120 })
            #expect(screen.press(UInt8(ascii: "\t")) == .draw)
        }
    }

    @Test(arguments: fractions, wholes) func thePageOfAStreamIsDrawn(fraction: String, whole: String) throws {
        let json = """
            {"id":"x","route":"/","client":"a","state":"slow","rate":"10/second","records":1,"bytes":2,"buffer":3,\
            "bufferRecords":4,"paused":5.0,"duration":6.0,"path":"/","dropped":7,"resumptions":8,"pauseCount":9,\
            "pauses":[{"cause":"pace","start":1.5,"seconds":0.5}]}
            """
        var stream = WatchedStream(id: "x")
        stream.take(.open(try #require(StreamDetail(json: hostile(json, fraction, whole)))))
        #expect(StreamPage(stream).lines(columns: 80).contains { $0.text.hasPrefix("open for") })
    }
}
