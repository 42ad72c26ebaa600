import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct RequestBodyLengthTests {
    private func length(_ fields: [(String, String)], version: HTTPVersion = .http1_1) throws -> RequestBodyLength {
        try RequestBodyLength(
            of: HTTPRequestHead(version: version, method: .POST, uri: "/", headers: HTTPHeaders(fields)))
    }

    @Test(arguments: [
        ("0", 0), ("5", 5), ("035", 35), ("000", 0), ("999999999999999999", 999_999_999_999_999_999),
        ("0000000000000000000000035", 35),
    ])
    func aLengthIsOneNumber(text: String, bytes: Int) throws {
        let length = try length([("content-LENGTH", text)])
        #expect(length == .length(bytes) && length.bytes == bytes && length.hasBody == (bytes > 0))
    }

    @Test(arguments: [
        "", "+5", "-5", "5,", "5, 5", "5 5", "0x5", "5.0", "5_0", "\u{b2}", "\u{665}", "9999999999999999999", "5;",
        "five",
    ]) func anythingElseIsMalformed(text: String) {
        #expect(throws: RequestFault.malformed) { try length([("Content-Length", text)]) }
    }

    @Test func withoutEitherFieldThereIsNoBody() throws {
        let length = try length([("Content-Type", "a"), ("Content-Len", "1")])
        #expect(length == .none && length.bytes == 0 && !length.hasBody)
    }

    @Test func chunksHaveNoLength() throws {
        let length = try length([("transfer-encoding", "Chunked")])
        #expect(length == .chunked && length.bytes == nil && length.hasBody)
    }

    /// RFC 9112, sections 6.1 and 6.3.
    @Test(arguments: [
        [("Transfer-Encoding", "gzip, chunked")], [("Transfer-Encoding", "identity")], [("Transfer-Encoding", "")],
        [("Transfer-Encoding", "chunked"), ("transfer-encoding", "chunked")], [("Transfer-Encoding", "chunked;a=b")],
        [("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
        [("Content-Length", "0"), ("Transfer-Encoding", "chunked")],
        [("Content-Length", "5"), ("Content-Length", "6")], [("Content-Length", "5"), ("content-length", "5")],
    ]) func twoWaysToFindTheEndAreMalformed(fields: [(String, String)]) {
        #expect(throws: RequestFault.malformed) { try length(fields) }
    }

    @Test func anHTTP10RequestHasNoChunks() {
        #expect(throws: RequestFault.malformed) { try length([("Transfer-Encoding", "chunked")], version: .http1_0) }
    }
}
