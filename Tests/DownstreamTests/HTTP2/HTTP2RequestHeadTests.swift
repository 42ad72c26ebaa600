import HTTPText
import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct HTTP2RequestHeadTests {
    private func head(
        _ more: [(String, String)] = [], method: String = "GET", path: String? = "/a?b",
        authority: String? = "a.example",
        hasBody: Bool = false
    ) -> HTTPRequestHead? {
        var fields = [(":method", method), (":scheme", "https")]
        if let authority { fields.append((":authority", authority)) }
        if let path { fields.append((":path", path)) }
        return Self.collect(fields + more).head(hasBody: hasBody)
    }

    private static func collect(_ fields: [(String, String)], limit: Int = 1 << 20) -> HTTP2RequestHead {
        var head = HTTP2RequestHead(limit: limit)
        for (name, value) in fields {
            let (name, value) = (Array(name.utf8), Array(value.utf8))
            name.withUnsafeBufferPointer { name in value.withUnsafeBufferPointer { head.add(name, $0) } }
        }
        return head
    }

    @Test func aHeadIsThatOfHTTP1() throws {
        let head = try #require(self.head([("accept", "*/*"), ("cookie", "a=1"), ("x", "1"), ("cookie", "b=2")]))
        #expect(head.version == .http2 && head.method == .GET && head.uri == "/a?b")
        #expect(head.headers == ["host": "a.example", "accept": "*/*", "x": "1", "cookie": "a=1; b=2"])
    }

    @Test func aHostMayReplaceTheAuthority() {
        #expect(head([("host", "b.example")], authority: nil)?.headers["host"] == ["b.example"])
        #expect(head([("host", "a.example")])?.headers["host"] == ["a.example"])
    }

    @Test(
        arguments: [(nil, "transfer-encoding", "chunked"), ("12", "content-length", "12")]
            as [(String?, String, String)])
    func aBodyIsAnnouncedAsInHTTP1(length: String?, name: String, value: String) throws {
        let head = try #require(self.head(length.map { [("content-length", $0)] } ?? [], method: "POST", hasBody: true))
        #expect(head.headers[name] == [value])
        #expect(try Request(head: head, peer: PeerAddress("")).hasBody)
    }

    @Test(arguments: ["/ HTTP/1.1", "/\u{7F}", "/\t", "http://b/", "*", "a", ""])
    func aTargetThatIsNoPathIsMalformed(path: String) { #expect(head(path: path) == nil) }

    @Test func optionsMayHaveNoPathAndConnectHasNone() {
        #expect(head(method: "OPTIONS", path: "*")?.uri == "*")
        #expect(head(method: "CONNECT", path: nil, authority: "b:443")?.uri == "b:443")
        #expect(head(path: nil) == nil)
    }

    @Test(arguments: [[("host", "b.example")], [("host", "")]])
    func contradictionsAreMalformed(fields: [(String, String)]) { #expect(head(fields) == nil) }

    @Test func aMethodIsAToken() { #expect(head(method: "G T") == nil) }

    @Test func theSizeOfAFieldIsThatOfItsBytesAnd32() {
        #expect(!Self.collect([("name", "value")], limit: 41).isTooLarge)
        #expect(Self.collect([("name", "value")], limit: 40).isTooLarge)
    }

    @Test func theNumberOfFieldsIsThatOfHTTP1() {
        let own = [(":authority", "a.example"), ("cookie", "a=1"), ("cookie", "b=2"), ("content-length", "0")]
        func head(_ count: Int) -> HTTP2RequestHead { Self.collect(own + (0..<count).map { ("x-\($0)", "v") }) }
        #expect(!head(253).hasTooManyFields)
        #expect(head(254).hasTooManyFields)
        #expect(head(300).trailers.count == 257)
    }

    @Test func everyByteOfAValueIsKept() throws {
        var head = HTTP2RequestHead(limit: 1000)
        let name = Array("x-own".utf8), value: [UInt8] = [0x61, 0x80, 0xFF]
        name.withUnsafeBufferPointer { name in value.withUnsafeBufferPointer { head.add(name, $0) } }
        #expect(head.trailers.first(name: "x-own").map { $0.unicodeScalars.map(\.value) } == [0x61, 0x80, 0xFF])
    }
}
