import NIOHTTP1
import Testing

@testable import Proxy

@Suite struct TrailersTests {
    @Test func fieldsOfTheBodyArePassedOnAsTheyAre() {
        let trailers = HTTPHeaders([
            ("Digest", "sha-256=x"), ("X-Count", "3"), ("x-count", "4"), ("Server-Timing", "db"),
        ])
        #expect(trailers.passedOnAsTrailers() == trailers)
    }

    /// RFC 9110, section 6.5.1.
    @Test(arguments: [
        "Transfer-Encoding", "Content-Length", "Trailer", "Connection", "TE", "Host", "Authorization", "Cookie",
        "Set-Cookie", "Cache-Control", "Content-Type", "Content-Encoding", "Range", "If-Match", "Location", "Via",
        "Forwarded", "X-Forwarded-For", "X-FORWARDED-PROTO", "traceparent", "X-Stream-Status", "x-stream-items",
    ]) func fieldsOfHeadsAreNot(name: String) {
        let trailers: HTTPHeaders = ["X-A": "1", name: "x", "X-B": "2"]
        #expect(trailers.passedOnAsTrailers() == ["X-A": "1", "X-B": "2"])
    }
}
