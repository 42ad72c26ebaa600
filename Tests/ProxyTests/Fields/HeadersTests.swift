import Downstream
import Flow
import NIOHTTP1
import Settings
import Testing

@testable import Proxy

extension HTTPHeaders {
    fileprivate func withoutHopByHop() -> HTTPHeaders {
        var kept = self
        kept.removeHopByHop()
        return kept
    }
}

@Suite struct HeadersTests {
    // MARK: Hop by hop (RFC 9110, section 7.6.1)

    @Test func fieldsOfTheConnectionAreNotPassedOn() {
        let headers: HTTPHeaders = [
            "Connection": "keep-alive", "Keep-Alive": "timeout=5", "Proxy-Connection": "close", "TE": "trailers",
            "Transfer-Encoding": "chunked", "Trailer": "X-A", "Upgrade": "h2c", "Expect": "100-continue",
            "Proxy-Authorization": "Basic x", "X-Kept": "a", "Content-Length": "5",
        ]
        #expect(headers.withoutHopByHop() == ["X-Kept": "a", "Content-Length": "5"])
    }

    @Test func fieldsThatConnectionNamesAreNotPassedOn() {
        let headers: HTTPHeaders = [
            "Connection": "close, X-One", "X-ONE": "a", "connection": "x-two ,x-three", "x-two": "b", "X-Three": "c",
            "X-Four": "d",
        ]
        #expect(headers.withoutHopByHop() == ["X-Four": "d"])
    }

    /// Without its length a response would never end; without its host a request would go elsewhere.
    @Test(arguments: ["Content-Length", "Host"]) func connectionCannotNameWhatTheMessageNeeds(name: String) {
        let headers = HTTPHeaders([("Connection", "close, \(name.lowercased())"), (name, "5")])
        #expect(headers.withoutHopByHop()[name] == ["5"])
    }

    @Test func everythingElseKeepsItsOrderCaseAndRepetitions() {
        let headers = HTTPHeaders([("Set-Cookie", "a"), ("x-B", "1"), ("TE", "x"), ("set-cookie", "b"), ("X-b", "2")])
        let kept = headers.withoutHopByHop().map { "\($0.name): \($0.value)" }
        #expect(kept == ["Set-Cookie: a", "x-B: 1", "set-cookie: b", "X-b: 2"])
    }

    // MARK: The head that the client gets

    private func streamFields(
        _ headers: HTTPHeaders = [:], pace: Pace = .unlimited, totalItemsHeader: String? = nil
    ) throws -> HTTPHeaders {
        var headers = headers
        var random = SystemRandomNumberGenerator()
        let id = StreamId(using: &random)
        let terms = Terms(
            pace: pace, burst: 1, buffer: 100, maximumBytes: .mebibytes(1), maximumRecordBytes: .kibibytes(1))
        addStreamFields(
            to: &headers, terms: terms, id: id, limits: .init(), quotas: .init(),
            totalItemsHeader: totalItemsHeader)
        #expect(headers["x-stream-id"] == [id.text])
        return headers
    }

    @Test func aStreamsHeadHasItsTerms() throws {
        let pace = try #require(Pace("10/second"))
        let headers = try streamFields(["Content-Type": "application/x-ndjson"], pace: pace)
        #expect(headers["x-stream-rate"] == ["10/second"])
        #expect(headers["x-stream-buffer-size"] == ["100"])
        #expect(headers["x-accel-buffering"] == ["no"] && headers["incremental"] == ["?1"])
        #expect(headers["ratelimit-policy"] == ["\"records\";q=10;w=1;qu=\"records\""])
        #expect(headers["content-type"] == ["application/x-ndjson"])
        #expect(!headers.contains(name: "x-stream-total-items"))
    }

    @Test func withoutALimitThereIsNoQuota() throws {
        let headers = try streamFields()
        #expect(headers["x-stream-rate"] == ["unlimited"])
        #expect(!headers.contains(name: "ratelimit") && !headers.contains(name: "ratelimit-policy"))
    }

    @Test func whatTheUpstreamSaysOfTheTermsIsReplaced() throws {
        let headers = try streamFields([
            "X-Stream-Rate": "1/hour", "X-Stream-Id": "forged", "x-accel-buffering": "yes", "incremental": "?0",
        ])
        #expect(headers["x-stream-rate"] == ["unlimited"])
        #expect(headers["x-accel-buffering"] == ["no"] && headers["incremental"] == ["?1"])
    }

    @Test func theTotalIsTheUpstreamsOwnOrTheFieldThatTheRouteNames() throws {
        let total = "X-Stream-Total-Items"
        #expect(try streamFields(["X-Total-Count": "7"], totalItemsHeader: "x-total-count")[total] == ["7"])
        #expect(
            try streamFields(["X-Total-Count": "7", total: "9"], totalItemsHeader: "X-Total-Count")[total] == ["9"])
        #expect(try streamFields(["X-Total-Count": "7"])[total].isEmpty)
        #expect(try streamFields(["X-Total-Count": ""], totalItemsHeader: "X-Total-Count")[total].isEmpty)
    }
}
