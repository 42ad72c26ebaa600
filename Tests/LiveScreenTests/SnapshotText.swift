import Testing

@testable import LiveScreen

/// A snapshot as the admin listener would answer it; whatever is not named is zero or empty.
struct SnapshotText {
    var uptime = 7500.0
    var state = "ready"
    var actions = false
    var lastReload = "taken"
    var olderStreams = 0
    var routes: [String] = []
    var breakers: [String] = []
    var slowest: [String] = []
    var pulls: [String] = []
    var replicas: String?
    var totals = (streams: 0, records: 0.0, bytes: 0.0, buffer: 0, capacity: 0, refusals: 0)

    static func route(
        _ name: String, streams: Int = 0, records: Double = 0, bytes: Double = 0, buffer: Int = 0,
        refused: String = ""
    ) -> String {
        """
        {"route":"\(name)","activeStreams":\(streams),"recordsPerSecond":\(records),"bytesPerSecond":\(bytes),\
        "refused":{\(refused)},"outcomes":{"completed":7},"bufferRecords":\(buffer),"bufferBytes":4711}
        """
    }

    static func breaker(_ name: String, kind: String, state: String, retryAfter: Double = 0) -> String {
        """
        {"route":"/v1/orders/stream","kind":"\(kind)","\(kind)":"\(name)","state":"\(state)","retryAfter":\(retryAfter)}
        """
    }

    static func stream(
        _ client: String, state: String, buffered: Int, paused: Double = 0, id: String = "x"
    ) -> String {
        """
        {"id":"\(id)","route":"/v1/orders/stream","client":"\(client)","state":"\(state)","rate":"10/second",\
        "records":12003,"bytes":123456,"buffer":100,"bufferRecords":\(buffered),"paused":\(paused),"duration":3720.25}
        """
    }

    static func pull(_ path: String, readers: Int, lag: Int = 0, paused: Bool = false) -> String {
        """
        {"route":"/v1","path":"\(path)","readers":\(readers),"records":1000,"bytes":204800,"lag":\(lag),\
        "paused":\(paused),"duration":61.5}
        """
    }

    var json: String {
        """
        {"time":"2026-02-28T12:03:07.250Z","version":"0.1.0","uptime":\(uptime),"state":"\(state)","actions":\(actions),\
        "configuration":{"generation":3,"taken":"2026-02-28T11:00:00Z","lastReload":"\(lastReload)",\
        "olderStreams":\(olderStreams),"oldest":125},"totals":{"activeStreams":\(totals.streams),\
        "recordsPerSecond":\(totals.records),"bytesPerSecond":\(totals.bytes),"bufferRecords":\(totals.buffer),\
        "bufferBytes":12900000,"bufferCapacityRecords":\(totals.capacity),"bufferCapacityBytes":1073741824,\
        "refusals":\(totals.refusals)},"routes":[\(routes.joined(separator: ","))],\
        "breakers":[\(breakers.joined(separator: ","))],"slowest":[\(slowest.joined(separator: ","))],\
        "pulls":[\(pulls.joined(separator: ","))]\(replicas.map { ",\"replicas\":\($0)" } ?? "")}
        """
    }

    func read() throws -> AdminSnapshot { try #require(AdminSnapshot(json: Array(json.utf8))) }

    static var busy: SnapshotText {
        var text = SnapshotText()
        text.totals = (streams: 1204, records: 12003, bytes: 3_250_585, buffer: 46000, capacity: 200_000, refusals: 308)
        text.routes = [
            route(
                "/v1/orders/stream", streams: 1200, records: 12000, bytes: 1_992_294, buffer: 31000,
                refused: #""rate-limit":100,"slow-consumer":204"#),
            route(
                "/v1/orders/export", streams: 4, records: 3, bytes: 1_258_291, buffer: 15000,
                refused: #""rate-limit":4"#),
            route("/"),
        ]
        text.breakers = [
            breaker("10.0.0.7", kind: "client", state: "open", retryAfter: 16.2),
            breaker("http://127.0.0.1:3000", kind: "upstream", state: "half-open"),
        ]
        text.slowest = [
            stream("10.0.0.7", state: "slow", buffered: 100, paused: 245),
            stream("2001:db8::7", state: "flowing", buffered: 3),
        ]
        return text
    }
}

extension Screen {
    static let fresh = Screen(address: "127.0.0.1:9090", bars: .ascii)

    /// One that has seen the snapshot twice, a second apart.
    static func showing(_ text: SnapshotText, bars: Bars = .ascii) throws -> Screen {
        var screen = Screen(address: "127.0.0.1:9090", bars: bars)
        screen.take(try text.read(), at: 0)
        screen.take(try text.read(), at: 1)
        return screen
    }

    mutating func press(_ character: UInt8) -> Action? { press(.character(character)) }

    mutating func press(_ character: Unicode.Scalar) -> Action? { press(.character(UInt8(ascii: character))) }

    func text(columns: Int, rows: Int?) -> [String] { lines(columns: columns, rows: rows).map(\.text) }
}
