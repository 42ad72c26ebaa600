import Flow
import Testing

@testable import Admin
@testable import Proxy

@Suite struct StreamJSONTests {
    @Test func pausesBeginBySecondsSinceTheStreamBeganAndOneMayRun() {
        let began = Instant(nanoseconds: 7_000_000_000)
        let summary = StreamSummary(
            handle: "000000000000000a", route: "/", client: "10.0.0.1", records: 1, bytes: 2, rate: "unlimited",
            buffer: 3, bufferRecords: 4, status: .slow, fill: 1, paused: .seconds(5), lasted: .seconds(6))
        let report = StreamReport(
            summary: summary, path: "/a\"b", upstream: "http://x", dropped: 7, resumptions: 8, pauseCount: 9,
            pauses: [
                .init(cause: .pace, began: began + .seconds(1), lasted: .milliseconds(1500)),
                .init(cause: .client, began: began + .seconds(4), lasted: .seconds(2), isRunning: true),
            ], began: began)
        #expect(
            String(decoding: StreamJSON.report(report), as: UTF8.self) == #"""
                {"id":"000000000000000a","route":"/","client":"10.0.0.1","state":"slow","rate":"unlimited","records":1,"bytes":2,"buffer":3,"bufferRecords":4,"paused":5.0,"duration":6.0,"path":"/a\"b","upstream":"http://x","dropped":7,"resumptions":8,"pauseCount":9,"pauses":[{"cause":"pace","start":1.0,"seconds":1.5},{"cause":"client","start":4.0,"seconds":2.0,"running":true}]}
                """#)
    }
}
