import Flow
import NIOCore
import Testing

@testable import Downstream

/// RFC 9113, section 8.1.1: an intermediary must not forward a malformed request, and only the end of a stream shows that its
/// request is none.
@Suite struct HTTP2RequestBodyTests {
    /// Takes what there is of a body as soon as it can be taken.
    private final class Taker: RequestBodyDelegate {
        var body: RequestBody?
        private(set) var text = ""
        private(set) var hasEnd = false
        private(set) var failures: [RequestBody.Failure] = []

        func bodyArrived() { take() }
        func bodyFailed(_ failure: RequestBody.Failure) { failures.append(failure) }

        func take() {
            withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 1) { buffer in
                while let count = body?.take(into: buffer) {
                    guard count > 0 else { return hasEnd = true }
                    text += String(decoding: buffer[..<count], as: UTF8.self)
                }
            }
        }
    }

    private static let trailers = TestFrame.endHeaders | TestFrame.endStream

    private let client: EmbeddedHTTP2
    private let taker = Taker()

    init() throws { client = try EmbeddedHTTP2() }

    /// Begins a request whose body is taken as it arrives; `also` is sent in the same flight as its head.
    private func begin(length: Int?, _ fields: [(String, String)] = [], also: [TestFrame] = []) throws {
        client.handler.onBody = { [taker] _, body, _ in
            taker.body = body
            body.stream(to: taker, upTo: nil, idle: .seconds(5))
            taker.take()
        }
        try client.begin()
        let length = length.map { [("content-length", String($0))] } ?? []
        let head = EmbeddedHTTP2.request(1, length + fields, method: "POST", ends: false)
        try client.send(bytes: ([head] + also).flatMap(\.bytes))
    }

    @Test func theLastDeclaredBytesAreTakenAfterTheEndOfTheStream() throws {
        try begin(length: 5)
        try client.send(EmbeddedHTTP2.data("he"))
        #expect(taker.text == "he", "a part that is not the last is taken at once")
        try client.send(EmbeddedHTTP2.data("llo"))
        #expect(taker.text == "he" && !taker.hasEnd)
        try client.send(EmbeddedHTTP2.data("", ends: true))
        #expect(taker.text == "hello" && taker.hasEnd && taker.failures.isEmpty)
        #expect(client.connection.timers.count == 1, "the connection's own")
    }

    @Test func aBodyWithoutALengthIsTakenAsItArrives() throws {
        try begin(length: nil)
        try client.send(EmbeddedHTTP2.data("hello"))
        #expect(taker.text == "hello" && !taker.hasEnd)
        try client.send(EmbeddedHTTP2.data("", ends: true))
        #expect(taker.hasEnd)
    }

    @Test(arguments: [true, false]) func aLongerBodyIsNeverWhole(inOneFlight: Bool) throws {
        try begin(length: 5)
        let frames = [EmbeddedHTTP2.data("hell"), EmbeddedHTTP2.data("o"), EmbeddedHTTP2.data("x", ends: true)]
        if inOneFlight {
            try client.send(bytes: frames.flatMap(\.bytes))
        } else {
            for frame in frames { try client.send(frame) }
        }
        #expect(taker.text == "hell" && !taker.hasEnd && taker.failures == [.brokenOff])
        #expect(try client.frames(of: 1).last?.kind == .reset)
    }

    @Test(arguments: [("connection", "close"), (":path", "/"), ("x", "a\r\nb"), ("x y", "a")])
    func aBodyBeforeMalformedTrailersIsNeverWhole(name: String, value: String) throws {
        try begin(length: 5)
        try client.send(EmbeddedHTTP2.data("hello"))
        try client.send(
            TestFrame(kind: .headers, flags: Self.trailers, stream: 1, payload: TestFrame.block([(name, value)])))
        #expect(taker.text.isEmpty && !taker.hasEnd && taker.failures == [.brokenOff])
    }

    /// Reading continues although more is buffered than of other bodies: otherwise no timer would run.
    @Test(arguments: [5, 65535]) func anEndThatDoesNotComeIsTooSlow(length: Int) throws {
        try begin(length: length)
        let text = String(repeating: "b", count: length)
        for start in stride(from: 0, to: length, by: 16384) {
            try client.send(EmbeddedHTTP2.data(String(text.dropFirst(start).prefix(16384))))
        }
        #expect(taker.failures.isEmpty)
        client.connection.advance(by: .milliseconds(5001))
        #expect(taker.text.utf8.count < length && taker.failures == [.tooSlow])
    }

    @Test func anEndThatDoesNotComeIsTooSlowAlsoWhereAContinueIsExpected() throws {
        try begin(length: 5, [("expect", "100-continue")], also: [EmbeddedHTTP2.data("hello")])
        #expect(taker.text.isEmpty && taker.failures.isEmpty)
        client.connection.advance(by: .milliseconds(5001))
        #expect(taker.failures == [.tooSlow])
    }
}
