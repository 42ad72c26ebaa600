import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP1
import NIOHTTP2
import Testing

@testable import Downstream

@Suite struct HTTP2StreamCodecTests {
    private let channel = EmbeddedChannel(handler: HTTP2StreamCodec())

    private func receive(_ fields: [(String, String)], endStream: Bool = true) throws -> HTTPRequestHead? {
        try channel.writeInbound(
            HTTP2Frame.FramePayload.headers(.init(headers: HPACKHeaders(fields), endStream: endStream)))
        guard case .head(let head)? = try channel.readInbound(as: HTTPServerRequestPart.self) else { return nil }
        return head
    }

    private func request(_ more: [(String, String)] = [], method: String = "GET", path: String = "/a?b")
        -> [(String, String)]
    {
        [(":method", method), (":scheme", "https"), (":authority", "a.example"), (":path", path)] + more
    }

    // MARK: Requests

    @Test func aHeadIsThatOfHTTP1() throws {
        let head = try #require(
            try receive(request([("accept", "*/*"), ("cookie", "a=1"), ("x", "1"), ("cookie", "b=2")])))
        #expect(head.version == .http2 && head.method == .GET && head.uri == "/a?b")
        #expect(
            head.headers == ["host": "a.example", "accept": "*/*", "x": "1", "cookie": "a=1; b=2"])
        #expect(try channel.readInbound(as: HTTPServerRequestPart.self) == .end(nil))
    }

    @Test func aHostMayStandInForTheAuthority() throws {
        let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "b.example")]
        #expect(try receive(fields)?.headers["host"] == ["b.example"])
        #expect(try HTTP2StreamCodecTests().receive(request([("host", "a.example")]))?.headers["host"] == ["a.example"])
    }

    @Test(
        arguments: [(nil, "transfer-encoding", "chunked"), ("12", "content-length", "12")]
            as [(String?, String, String)])
    func aBodyIsToldAsHTTP1Does(length: String?, name: String, value: String) throws {
        let fields = request(length.map { [("content-length", $0), ("content-length", $0)] } ?? [], method: "POST")
        let head = try #require(try receive(fields, endStream: false))
        #expect(head.headers[name] == [value])
        #expect(try Request(head: head, peer: "").hasBody)
        try channel.writeInbound(data("one", endStream: false))
        try channel.writeInbound(data("", endStream: false))
        try channel.writeInbound(data("two", endStream: true))
        #expect(try channel.readInbound(as: HTTPServerRequestPart.self) == .body(ByteBuffer(string: "one")))
        #expect(try channel.readInbound(as: HTTPServerRequestPart.self) == .body(ByteBuffer(string: "two")))
        #expect(try channel.readInbound(as: HTTPServerRequestPart.self) == .end(nil))
    }

    @Test func trailersFollowABody() throws {
        _ = try receive(request(method: "POST"), endStream: false)
        try channel.writeInbound(
            HTTP2Frame.FramePayload.headers(.init(headers: ["x-sum": "1"], endStream: true)))
        #expect(try channel.readInbound(as: HTTPServerRequestPart.self) == .end(["x-sum": "1"]))
    }

    @Test(arguments: ["/ HTTP/1.1", "/\u{7F}", "/\t"]) func aTargetThatWouldEndTheRequestLineIsMalformed(path: String) {
        #expect(throws: HTTPParserError.unknown) { _ = try receive(request(path: path)) }
    }

    @Test(arguments: [
        [("host", "b.example")], [("host", "a.example"), ("host", "a.example")], [("content-length", "+1")],
        [("content-length", "1"), ("content-length", "2")], [("content-length", "")],
    ]) func contradictionsAreMalformed(fields: [(String, String)]) {
        #expect(throws: HTTPParserError.unknown) { _ = try receive(request(fields)) }
    }

    @Test func aMethodIsAToken() {
        #expect(throws: HTTPParserError.unknown) { _ = try receive(request(method: "G T")) }
    }

    @Test func nothingIsReadBehindAMalformedHead() throws {
        _ = try? receive(request(method: "(", path: "/"), endStream: false)
        try channel.writeInbound(data("body", endStream: true))
        #expect(try channel.readInbound(as: HTTPServerRequestPart.self) == nil)
    }

    // MARK: Responses

    @Test func aResponseLosesWhatIsOfItsConnection() throws {
        let headers: HTTPHeaders = [
            "Content-Type": "text/plain", "Connection": "close", "Keep-Alive": "timeout=5",
            "Transfer-Encoding": "chunked",
            "Upgrade": "h2c", "Proxy-Connection": "close", "X-Mine": "Yes",
        ]
        try channel.writeOutbound(
            HTTPServerResponsePart.head(HTTPResponseHead(version: .http2, status: .ok, headers: headers)))
        guard case .headers(let block)? = try channel.readOutbound(as: HTTP2Frame.FramePayload.self) else {
            Issue.record("no block of fields")
            return
        }
        #expect(block.headers == [":status": "200", "content-type": "text/plain", "x-mine": "Yes"])
        #expect(!block.endStream)
    }

    @Test(arguments: [nil, ["X-Stream-Status": "complete"]] as [HTTPHeaders?])
    func anEndEndsTheStream(trailers: HTTPHeaders?) throws {
        try channel.writeOutbound(HTTPServerResponsePart.end(trailers))
        switch try channel.readOutbound(as: HTTP2Frame.FramePayload.self) {
        case .data(let data):
            #expect(trailers == nil && data.endStream && data.data.readableBytes == 0)
        case .headers(let block):
            #expect(trailers != nil && block.endStream && block.headers == ["x-stream-status": "complete"])
        default: Issue.record("no end")
        }
    }

    private func data(_ text: String, endStream: Bool) -> HTTP2Frame.FramePayload {
        .data(.init(data: .byteBuffer(ByteBuffer(string: text)), endStream: endStream))
    }
}
