import NIOHTTP1
import Testing

@testable import Upstream

@Suite struct ResponseHeadParserTests {
    /// Passes the lines on as libcurl does, one by one, and returns the head.
    private func parse(_ text: String, takesHTTP2: Bool = false) throws -> UpstreamResponseHead? {
        try heads(text, takesHTTP2: takesHTTP2).final
    }

    private func heads(
        _ text: String, takesHTTP2: Bool = false
    ) throws -> (interim: [UpstreamResponseHead], final: UpstreamResponseHead?) {
        var parser = ResponseHeadParser(takesHTTP2: takesHTTP2)
        var interim: [UpstreamResponseHead] = []
        var head: UpstreamResponseHead?
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? rest.endIndex
            let step = try Array(rest[..<end]).withUnsafeBytes { try parser.line($0) }
            switch step {
            case .more: break
            case .interim(let early):
                #expect(head == nil, "the final head is the last one")
                interim.append(early)
            case .head(let complete):
                #expect(head == nil, "a response has one final head")
                head = complete
            }
            rest = rest[end...]
        }
        return (interim, head)
    }

    private func isRefused(_ text: String) -> Bool {
        do {
            _ = try parse(text)
            return false
        } catch {
            return true
        }
    }

    // MARK: What is read

    @Test func readsStatusReasonAndFields() throws {
        let head = try parse("HTTP/1.1 200 All Right\r\nContent-Type: text/plain\r\nX-Empty:\r\nx-a:  b c \t\r\n\r\n")
        #expect(head?.status == 200)
        #expect(head?.reason == "All Right")
        #expect(head?.headers == ["Content-Type": "text/plain", "X-Empty": "", "x-a": "b c"])
        #expect(head?.contentLength == nil)
        #expect(head?.isChunked == false)
    }

    /// RFC 9112, section 2.2: a lone LF may end a line.
    @Test func linesMayEndWithLFAlone() throws {
        let head = try parse("HTTP/1.1 204 No Content\nA: b\n\n")
        #expect(head?.status == 204)
        #expect(head?.headers == ["A": "b"])
    }

    @Test(arguments: [
        ("HTTP/1.1 200 ", 200, ""), ("HTTP/1.1 200", 200, ""), ("HTTP/1.0 404 Not Found", 404, "Not Found"),
        ("HTTP/1.1 599 a  b", 599, "a  b"), ("HTTP/1.1 200 \u{e4}\tb", 200, "\u{c3}\u{a4}\tb"),
    ]) func readsStatusLines(line: String, status: Int, reason: String) throws {
        let head = try #require(try parse(line + "\r\n\r\n"))
        #expect(head.status == status)
        #expect(head.reason == reason)
    }

    @Test func keepsRepeatedFieldsInOrder() throws {
        let head = try parse("HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nVary: x\r\nset-cookie: b\r\n\r\n")
        #expect(head?.headers[canonicalForm: "set-cookie"] == ["a", "b"])
        #expect(head?.headers.map(\.name) == ["Set-Cookie", "Vary", "set-cookie"])
    }

    @Test func aLineEndWithoutAHeadIsNoResponse() {
        #expect(isRefused("\r\n"))
        #expect(isRefused("A: b\r\n\r\n"))
    }

    // MARK: RFC 9112, section 4: the status line

    @Test(arguments: [
        "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 2OO OK", "HTTP/1.1 -20 OK",
        "HTTP/1.1 099 OK", "HTTP/1.1 600 OK", "HTTP/1.1\t200 OK", "HTTP/2 200", "HTTP/2.0 200 OK", "HTTP/1.x 200 OK",
        "HTTP/1. 200 OK", "HTTP/1.12 200 OK", "http/1.1 200 OK", "HTTP/1.1", "HTTP/", "ICY 200 OK", " HTTP/1.1 200 OK",
    ]) func refusesOtherStatusLines(line: String) { #expect(isRefused(line + "\r\n\r\n")) }

    /// As libcurl writes the head of an answer of HTTP/2; of others it is no status line.
    @Test func takesHTTP2WhereThatIsSpoken() throws {
        let (interim, head) = try heads("HTTP/2 103 \r\nlink: x\r\n\r\nHTTP/2 200 \r\na: b\r\n\r\n", takesHTTP2: true)
        #expect(interim.map(\.version) == [.http2])
        #expect(head?.version == .http2)
        #expect(head?.headers == ["a": "b"])
        #expect(head?.isDelimitedByClose(method: .GET) == false)
        #expect(try parse("HTTP/1.1 200 OK\r\n\r\n", takesHTTP2: true)?.version == .http1_1)
        for line in ["HTTP/2.0 200 OK", "HTTP/3 200", "HTTP/22 200"] {
            #expect(throws: ResponseHeadParser.Failure.self) { try parse(line + "\r\n\r\n", takesHTTP2: true) }
        }
    }

    @Test func refusesASecondStatusLine() {
        #expect(isRefused("HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\n\r\n"))
    }

    // MARK: RFC 9112, section 5: field lines

    @Test(arguments: [
        "Name : value",  // 5.1: a blank before the colon
        "Name\t: value", ": value", "no colon", "Na me: value", "Na(me): value", "N\u{e4}me: value", "Name;x: value",
    ]) func refusesNamesThatAreNoTokens(line: String) { #expect(isRefused("HTTP/1.1 200 OK\r\n\(line)\r\n\r\n")) }

    /// RFC 9112, section 5.2: a line that begins with a blank would belong to the line before it.
    @Test(arguments: [" folded", "\tfolded", " name: value"]) func refusesFolding(line: String) {
        #expect(isRefused("HTTP/1.1 200 OK\r\nA: b\r\n\(line)\r\n\r\n"))
        #expect(isRefused("HTTP/1.1 200 OK\r\n\(line)\r\n\r\n"))
    }

    @Test(arguments: ["a\u{0}b", "a\u{1}b", "a\u{7f}b", "a\rb", "a\u{1b}b"])
    func refusesControlCharactersInValues(value: String) {
        #expect(isRefused("HTTP/1.1 200 OK\r\nA: \(value)\r\n\r\n"))
    }

    /// RFC 9110, section 5.5: each byte of a value is one scalar of its text.
    @Test func takesTabsAndBytesBeyondASCIIInValues() throws {
        #expect(try parse("HTTP/1.1 200 OK\r\nA: b\tc \u{e4}\r\n\r\n")?.headers == ["A": "b\tc \u{c3}\u{a4}"])
    }

    // MARK: RFC 9112, section 6.3: the length of the body

    @Test(arguments: ["5", "5 ", "\t5", "5, 5", "5,5,\t5"]) func aLengthIsOneNumber(value: String) throws {
        let head = try parse("HTTP/1.1 200 OK\r\nContent-Length: \(value)\r\n\r\n")
        #expect(head?.contentLength == 5)
        #expect(head?.headers["content-length"] == ["5"], "rule 5: only one is passed on")
    }

    @Test func equalLengthsAreOne() throws {
        let head = try parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\n")
        #expect(head?.contentLength == 5)
        #expect(head?.headers["content-length"] == ["5"], "rule 5: only one is passed on")
    }

    @Test(arguments: [
        "", "-5", "+5", "5.0", "0x5", "5 5", "5, 6", "5,", ",5", "five", "99999999999999999999", "\u{0665}",
    ]) func refusesOtherLengths(value: String) {
        #expect(isRefused("HTTP/1.1 200 OK\r\nContent-Length: \(value)\r\n\r\n"))
    }

    @Test func refusesLengthsThatDiffer() {
        #expect(isRefused("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"))
    }

    @Test(arguments: ["chunked", "Chunked", " CHUNKED "]) func knowsChunked(value: String) throws {
        let head = try parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: \(value)\r\n\r\n")
        #expect(head?.isChunked == true)
        #expect(head?.contentLength == nil)
    }

    @Test(arguments: ["gzip, chunked", "chunked, chunked", "identity", "xchunked", ""])
    func refusesOtherTransferCodings(value: String) {
        #expect(isRefused("HTTP/1.1 200 OK\r\nTransfer-Encoding: \(value)\r\n\r\n"))
    }

    @Test func refusesChunkedTwice() {
        #expect(isRefused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"))
    }

    /// Rule 3: an attempt at response splitting.
    @Test func refusesALengthBesideChunked() {
        let length = "Content-Length: 5\r\n", chunked = "Transfer-Encoding: chunked\r\n"
        #expect(isRefused("HTTP/1.1 200 OK\r\n" + length + chunked + "\r\n"))
        #expect(isRefused("HTTP/1.1 200 OK\r\n" + chunked + length + "\r\n"))
    }

    @Test func refusesATransferEncodingInHTTP1_0() {
        #expect(isRefused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
    }

    /// RFC 9110, section 8.6, and RFC 9112, section 6.1.
    @Test(arguments: ["Content-Length: 5", "content-LENGTH: 0", "Transfer-Encoding: chunked"])
    func dropsWhatDescribesABodyWhereNoneIsAllowed(field: String) throws {
        let head = try parse("HTTP/1.1 204 No Content\r\n\(field)\r\nA: b\r\n\r\n")
        #expect(head?.headers == ["A": "b"])
        #expect(head?.contentLength == nil && head?.isChunked == false)
        #expect(head?.announcesContent == (field != "content-LENGTH: 0"))
    }

    @Test func a304KeepsItsLength() throws {
        let head = try parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")
        #expect(head?.contentLength == 5 && head?.announcesContent == true)
    }

    @Test(arguments: ["O\rK", "OK\r", "\u{0}", "a\u{1}", "a\u{7f}"])
    func refusesControlCharactersInTheReason(reason: String) {
        #expect(isRefused("HTTP/1.1 200 \(reason)\r\n\r\n"))
    }

    @Test func aLongerNameIsAnotherField() throws {
        let head = try parse("HTTP/1.1 200 OK\r\nX-Content-Length: a\r\nContent-Lengths: b\r\n\r\n")
        #expect(head?.contentLength == nil)
    }

    // MARK: RFC 9110, section 15.2: informational responses

    @Test func distinguishesInformationalHeads() throws {
        let (interim, head) = try heads(
            "HTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nA: b\r\n\r\n")
        #expect(interim.map(\.status) == [100, 103])
        #expect(interim.last?.headers == ["Link": "x"])
        #expect(head?.status == 200)
        #expect(head?.headers == ["A": "b"])
        #expect(head?.contentLength == nil)
    }

    @Test func refusesAnUpgrade() { #expect(isRefused("HTTP/1.1 101 Switching Protocols\r\n\r\n")) }

    @Test func trailersDoNotBecomeASecondHead() throws {
        let head = try parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nX-Checksum: 1\r\n\r\n")
        #expect(head?.headers.contains(name: "x-checksum") == false)
    }

    // MARK: Size

    /// A head of exactly this number of bytes.
    private func head(ofBytes count: Int) -> String {
        let frame = "HTTP/1.1 200 OK\r\n" + "A: \r\n" + "\r\n"
        return "HTTP/1.1 200 OK\r\n" + "A: " + String(repeating: "x", count: count - frame.utf8.count) + "\r\n\r\n"
    }

    @Test func aHeadMayBeAsLargeAsTheLimitAndNoLarger() throws {
        #expect(try parse(head(ofBytes: ResponseHeadParser.maximumBytes)) != nil)
        #expect(isRefused(head(ofBytes: ResponseHeadParser.maximumBytes + 1)))
    }

    @Test func informationalHeadsCountAgainstTheLimit() {
        let half = ResponseHeadParser.maximumBytes / 2 + 1
        let early = head(ofBytes: half).replacing("200 OK", with: "103 OK")
        #expect(isRefused(early + head(ofBytes: half)))
    }

    @Test func endlessTrailersAreRefused() {
        let trailers = String(repeating: "X-Trailer: value\r\n", count: 5000)
        #expect(isRefused("HTTP/1.1 200 OK\r\n\r\n" + trailers))
    }
}
