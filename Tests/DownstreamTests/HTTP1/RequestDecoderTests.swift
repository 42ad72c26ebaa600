import HTTPText
import NIOHTTP1
import Testing

@testable import Downstream

/// RFC 9112: valid and invalid requests.
@Suite struct RequestDecoderTests {
    private static let line = "POST /a?b HTTP/1.1\r\n"
    private static let chunked = line + "Transfer-Encoding: chunked\r\n\r\n"

    private func decode(_ text: String, limit: Int = 32 << 10) -> DecodedRequests {
        DecodedRequests(Array(text.utf8), limit: limit)
    }

    // MARK: In any pieces

    private static let streams = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\nGET / HTTP/1.0\r\n\r\n\r\nOPTIONS * HTTP/1.1\r\nA:\tb \r\n\r\n",
        line + "Content-Length: 5\r\n\r\nhelloGET /next HTTP/1.1\r\n\r\n",
        chunked
            + "5\r\nhello\r\n00b ;a=\"b\"\r\n wide world\r\n0\r\nX-Sum: 7\r\nY:\r\n\r\nGET /next HTTP/1.1\r\n\r\nGE",
        chunked + "5\r\nhello!\r\n", chunked + "0\r\nA b\r\n\r\n", line + "A: b\r\n c\r\n\r\n", "GET /\r\n\r\n",
    ]

    @Test(arguments: streams) func everySplitGivesTheSameResult(text: String) {
        let bytes = Array(text.utf8), whole = DecodedRequests(bytes)
        for cut in 0...bytes.count { #expect(DecodedRequests(bytes, cutAt: [cut]) == whole) }
        #expect(DecodedRequests(bytes, cutAt: bytes.indices) == whole)
    }

    @Test func requestsFollowOneAnother() throws {
        let read = decode(Self.streams[3])
        try #require(read.requests.count == 2 && read.fault == nil)
        #expect(read.requests[0].body == Array("hello wide world".utf8))
        #expect(read.requests[0].trailers == ["X-Sum": "7", "Y": ""])
        #expect(read.requests[1].decoded.head.uri == "/next" && read.requests[1].trailers == [:])
        #expect(read.unread == 2)
    }

    // MARK: Request lines

    @Test(arguments: [
        "LIST", "BAN", "WATCH", "RPC_IN_DATA", "VERSION-CONTROL", "M-SEARCH", "get", "QUERY", "!#$%&'*+-.^_`|~9",
    ]) func anyTokenIsAMethod(method: String) throws {
        let head = try #require(decode("\(method) / HTTP/1.1\r\n\r\n").requests.first).decoded.head
        #expect(head.method.rawValue == method && head.uri == "/" && head.version == .http1_1)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\n\r\n", "GET  / HTTP/1.1\r\n", "GET /  HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n",
        " GET / HTTP/1.1\r\n",
        "GET\t/ HTTP/1.1\r\n", "GET / http/1.1\r\n", "GET / HTTP/1.2\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/0.9\r\n",
        "GET / HTTP/11\r\n", "GET / HTTP/1.1.\r\n", "GET /\r\n", "GET\r\n", "GET HTTP/1.1\r\n", "GET  HTTP/1.1\r\n",
        "/ HTTP/1.1\r\n", "GE:T / HTTP/1.1\r\n", "GET /a b HTTP/1.1\r\n", "GET /\u{0} HTTP/1.1\r\n",
        "GET /\u{7F} HTTP/1.1\r\n", "GET /\u{E9} HTTP/1.1\r\n", "GET /\r HTTP/1.1\r\n", "GET / HTTP/1.1\rX\r\n",
        "\nGET / HTTP/1.1\r\n",
    ]) func otherLinesAreMalformed(line: String) {
        #expect(decode(line + "\r\n").fault == .malformed)
    }

    /// Its end may never come: the first bytes of TLS have no line end.
    @Test(arguments: ["\u{16}\u{3}\u{1}", "\u{0}", " ", "G\u{0}", "(", "\r\r", "GE\t"])
    func whatCannotBeginALineIsRejectedAtOnce(text: String) { #expect(decode(text).fault == .malformed) }

    @Test(arguments: ["G", "GET", "GET ", "GET /\u{0}", "\r", "\r\n", "\r\nG", ""]) func whatMayBeginALineIsAwaited(
        text: String
    ) { #expect(decode(text).fault == nil) }

    // MARK: Fields

    @Test(arguments: [
        "A b", "A : b", ": b", " A: b", "A: b\r\n c", "A: b\n", "A: b\rC: d", "A: \u{0}", "A: \u{7F}", "(A): b",
        "\u{E9}: b",
    ]) func otherFieldsAreMalformed(field: String) {
        #expect(decode("GET / HTTP/1.1\r\n\(field)\r\n\r\n").fault == .malformed)
        #expect(decode("GET / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n").fault == .malformed)
        #expect(decode(Self.chunked + "0\r\n\(field)\r\n\r\n").fault == .malformed)
    }

    @Test func fieldsKeepTheirOrderTheirNamesAndTheirBytes() throws {
        let bytes =
            Array("GET / HTTP/1.1\r\nHost:a\r\nX-b:  ".utf8) + [0xE9, 0x09, 0xFF] + Array("\t\r\nX-B: 2\r\n\r\n".utf8)
        let headers = try #require(DecodedRequests(bytes).requests.first).decoded.head.headers
        #expect(headers.map(\.name) == ["Host", "X-b", "X-B"])
        #expect(FieldText.bytes(headers["X-b"][0]) == [0xE9, 0x09, 0xFF])
    }

    @Test(arguments: [
        ("1.1", "", true), ("1.1", "close", false), ("1.1", "Upgrade, CLOSE", false), ("1.1", "keep-alive", true),
        ("1.0", "", false), ("1.0", "Keep-Alive", true), ("1.0", "keep-alive, close", false), ("1.1", "closed", true),
    ]) func theConnectionFieldDecidesWhetherItPersists(version: String, options: String, stays: Bool) throws {
        let read = decode("GET / HTTP/\(version)\r\nConnection: \(options)\r\n\r\n")
        #expect(try #require(read.requests.first).decoded.isPersistent == stays)
    }

    // MARK: The length of the body

    @Test(arguments: [
        ("", RequestBodyLength.none), ("Content-Length: 0\r\n", .length(0)), ("Content-Length: 5\r\n", .length(5)),
        ("Content-Length:\t5\r\n", .length(5)), ("Content-Length: 5 \r\n", .length(5)),
        ("Content-Length: 5\t \r\n", .length(5)), ("content-length: 035\r\n", .length(35)),
        ("Transfer-Encoding: chunked\r\n", .chunked), ("transfer-encoding:\tCHUNKED \r\n", .chunked),
    ]) func isDecidedOnce(fields: String, length: RequestBodyLength) throws {
        let decoded = try #require(decode(Self.line + fields + "\r\n").requests.first).decoded
        #expect(decoded.bodyLength == length)
        if case .length(let length) = length { #expect(decoded.head.headers["content-length"] == ["\(length)"]) }
        #expect(try RequestBodyLength(of: decoded.head) == length)
    }

    @Test(arguments: [
        "Content-Length:", "Content-Length: +5", "Content-Length: -5", "Content-Length: 5,5", "Content-Length: 5, 6",
        "Content-Length: 5 5", "Content-Length: 0x5", "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 1234567890123456789", "Content-Length: 5;a",
        "Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding:", "Transfer-Encoding: gzip", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked,", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: \u{B}chunked",
        "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked;q=1",
    ]) func otherLengthsAreMalformed(fields: String) {
        #expect(decode(Self.line + fields + "\r\n\r\nhello").fault == .malformed)
    }

    /// RFC 9112, section 6.1: HTTP/1.0 has no transfer codings.
    @Test func aCodingInHTTP10IsMalformed() {
        #expect(decode("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").fault == .malformed)
    }

    @Test func aBodyEndsWithItsLength() throws {
        let read = decode(Self.line + "Content-Length: 5\r\n\r\nhel")
        #expect(read.requests.first?.body == Array("hel".utf8) && read.requests.first?.trailers == nil)
    }

    // MARK: Chunks

    @Test(arguments: ["5", "05", "0000000000000005", "5;", "5;a", "5;a=b", "5 ;a=\"b\"", "5\t; a", "5;\u{E9}"])
    func aSizeIsHexadecimal(size: String) {
        let read = decode(Self.chunked + "\(size)\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n")
        #expect(read.requests.first?.body == Array("hello0123456789".utf8) && read.fault == nil)
    }

    @Test(arguments: [
        "", "g", "+5", "-5", " 5", "5 ", "5\t", "0x5", "5g", "5\r", "5;a\rb", "5;\u{0}", "00000000000000005",
        "8000000000000000", "fffffffffffffffff", "5 a",
    ]) func otherSizesAreMalformed(size: String) {
        #expect(decode(Self.chunked + "\(size)\r\nhello\r\n0\r\n\r\n").fault == .malformed)
    }

    @Test(arguments: ["5\nhello\r\n", "5\r\nhello\n0\r\n", "5\r\nhello!\r\n", "5\r\nhell\r\n0\r\n", "5\r\nhello0\r\n"])
    func aChunkEndsWithCRLF(body: String) { #expect(decode(Self.chunked + body + "\r\n").fault == .malformed) }

    // MARK: Bounds

    @Test func aHeadMayBeAsLargeAsTheLimit() {
        let begin = "GET / HTTP/1.1\r\nX: "
        for (size, fault) in [(1000, nil), (1001, RequestFault.headTooLarge)] {
            let head = begin + String(repeating: "x", count: size - begin.utf8.count - 4) + "\r\n\r\n"
            #expect(head.utf8.count == size)
            #expect(decode(head, limit: 1000).fault == fault)
            #expect(DecodedRequests(Array(head.utf8), cutAt: 0..<size, limit: 1000).fault == fault)
        }
    }

    @Test(arguments: ["GET /", "GET / HTTP/1.1\r\nX: ", "GET / HTTP/1.1\r\n", "G", chunked + "0\r\nX: "])
    func whatHasNoEndIsTooLarge(begin: String) {
        #expect(decode(begin + String(repeating: "x", count: 1001), limit: 1000).fault == .headTooLarge)
    }

    @Test func emptyLinesCountAsBytesOfTheHead() {
        #expect(decode(String(repeating: "\r\n", count: 600), limit: 1000).fault == .headTooLarge)
    }

    @Test func theNumberOfFieldsIsLimited() {
        func head(_ count: Int) -> String { (0..<count).map { "X-\($0): v\r\n" }.joined() + "\r\n" }
        #expect(decode(Self.line + head(256)).fault == nil)
        #expect(decode(Self.line + head(257)).fault == .tooManyFields)
        #expect(decode(Self.chunked + "0\r\n" + head(256)).fault == nil)
        #expect(decode(Self.chunked + "0\r\n" + head(257)).fault == .tooManyFields)
    }

    /// One long extension, one without an end, and many short ones.
    @Test(arguments: [
        "5;" + String(repeating: "x", count: 16384) + "\r\nhello\r\n", "5;" + String(repeating: "x", count: 20000),
        String(repeating: "1;xxxxxxxxxxxxxxxx\r\nx\r\n", count: 1000),
    ]) func extensionsAreBoundedTogether(body: String) {
        #expect(decode(Self.chunked + body).fault == .malformed)
    }

    @Test func chunksAreNotBounded() {
        let body = String(repeating: "1\r\nx\r\n", count: 50_000) + "0\r\n\r\n"
        let read = decode(Self.chunked + body)
        #expect(read.fault == nil && read.requests.first?.body.count == 50_000)
    }

    @Test func nothingIsReadAfterAFault() {
        let read = decode("GET / HTTP/9.9\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        #expect(read.fault == .malformed && read.requests.isEmpty)
    }
}
