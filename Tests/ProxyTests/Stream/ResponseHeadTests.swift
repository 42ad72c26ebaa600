import Flow
import NIOHTTP1
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy
@testable import Upstream

struct ResponseHeadTests {
    private func head(
        _ fields: [(String, String)], length: Int? = nil, format: RecordFormat? = nil, method: HTTPMethod = .GET,
        _ change: (inout Route) -> Void = { _ in }
    ) throws -> ResponseHead {
        let bench = try StreamBench(change)
        let received = UpstreamResponseHead(
            status: 200, reason: "OK", headers: HTTPHeaders(fields), contentLength: length)
        return ResponseHead(received, to: try bench.request(method: method), format: format, date: "now")
    }

    @Test func fieldsOfTheConnectionAreRemovedAndViaAndDateAdded() throws {
        let head = try head([("Connection", "X-Hop"), ("X-Hop", "1"), ("X-Kept", "2"), ("Keep-Alive", "3")])
        #expect(head.headers.map(\.name) == ["X-Kept", "Via", "Date"])
        #expect(try self.head([("Date", "then")]).headers["date"] == ["then"])
    }

    @Test func aLengthIsKeptOnlyIfTheBodyStaysAsItIs() throws {
        let length = [("Content-Length", "3")]
        #expect(try head(length, length: 3).body == .length)
        #expect(try head(length, length: 3, format: .ndjson).body == .length)
        let resumable = try head(length, length: 3, format: .ndjson) { $0.resumeWindow = .seconds(1) }
        #expect(resumable.body == .unknown && resumable.headers["content-length"].isEmpty)
        let dropping = try head(length, length: 3, format: .ndjson) { $0.overflow = .dropOldest }
        #expect(dropping.body == .unknown)
        #expect(try head(length, length: 3, format: .sse) { $0.heartbeat = .seconds(1) }.body == .unknown)
        #expect(try head(length, length: 3, format: .ndjson) { $0.heartbeat = .seconds(1) }.body == .unknown)
        #expect(try head(length, length: 3, format: .jsonSequence) { $0.heartbeat = .seconds(1) }.body == .length)
        let none = try head(length, length: 3, method: .HEAD)
        #expect(none.body == .none && none.headers["content-length"] == ["3"])
    }

    @Test func trailersAreAnnouncedOnlyToAClientThatAcceptsThem() throws {
        let head = try head([("Trailer", "A")], format: .ndjson)
        let plain = FakeResponse(), accepting = FakeResponse()
        accepting.canSendTrailers = true
        head.write(to: plain, isStream: true)
        head.write(to: accepting, isStream: true)
        #expect(plain.headers["trailer"].isEmpty)
        #expect(accepting.headers["trailer"] == ["A, X-Stream-Status, X-Stream-Items"])
    }

    @Test(arguments: [
        ("application/x-ndjson", true), ("text/event-stream;q=1", true), ("application/csv", true), ("*/*", false),
        ("application/json", false), ("", false),
    ])
    func onlyARequestThatNamesTheTypeTakesRecords(accept: String, takes: Bool) {
        let headers = HTTPHeaders([("Accept", accept)])
        #expect(headers.acceptRecords(ofType: "application/csv; charset=utf-8", types: StreamTypes()) == takes)
    }
}
