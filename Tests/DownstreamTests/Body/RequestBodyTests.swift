import Flow
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct RequestBodyTests {
    private static let get = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static func post(_ body: String, declared: Int? = nil, more: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(declared ?? body.utf8.count)\r\n\(more)\r\n\(body)"
    }

    private static func answer(_ body: String) -> String {
        "HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// A connection whose requests are answered with their bodies, and what became of each.
    private func echoing(upTo limit: Int = 16) throws -> (EmbeddedConnection, () -> [String]) {
        let connection = try EmbeddedConnection()
        var results: [String] = []
        connection.handler.onBody = { _, body, writer in
            body.collect(upTo: ByteCount(limit), within: .seconds(5)) { result in
                switch result {
                case .success(let bytes):
                    results.append(String(buffer: bytes))
                    writer.answer(String(buffer: bytes))
                case .failure(let failure):
                    results.append("\(failure)")
                    if failure != .brokenOff { writer.answer("", status: .badRequest) }
                }
            }
        }
        return (connection, { results })
    }

    // MARK: Reading

    @Test func aBodyIsReadAndTheConnectionLivesOn() throws {
        let (connection, results) = try echoing()
        for body in ["first", "second", ""] {
            try connection.send(Self.post(body))
            #expect(try connection.received() == Self.answer(body))
        }
        #expect(results() == ["first", "second", ""])
        #expect(connection.isOpen)
    }

    @Test func aRequestWithoutABodyHasAnEmptyOne() throws {
        let (connection, results) = try echoing()
        try connection.send(Self.get)
        #expect(results() == [""])
    }

    /// All splits give one result (h11).
    @Test(arguments: [post("sixteen bytes..."), chunked + "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n"])
    func aBodyMayArriveInAnyPieces(request: String) throws {
        let (whole, expected) = try echoing()
        try whole.send(request)
        #expect(expected().count == 1)
        for cut in 1..<request.utf8.count {
            let (connection, results) = try echoing()
            try connection.send(String(request.prefix(cut)))
            try connection.send(String(request.dropFirst(cut)))
            #expect(results() == expected())
            #expect(connection.isOpen && connection.timers.count == 1)
        }
    }

    @Test func pipelinedBodiesAreReadInOrder() throws {
        let (connection, results) = try echoing()
        try connection.send(
            Self.post("one") + Self.get + Self.chunked + "3\r\ntwo\r\n0\r\n\r\n" + Self.post("three"))
        #expect(results() == ["one", "", "two", "three"])
        #expect(try connection.received() == ["one", "", "two", "three"].map(Self.answer).joined())
        #expect(connection.isOpen)
    }

    /// What follows an answer that is not taken yet waits; the socket is not read meanwhile.
    @Test func aBodyAfterAnUnreadAnswerWaits() throws {
        let (connection, results) = try echoing()
        let handler = try connection.channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
        let onBody = connection.handler.onBody
        connection.handler.onBody = { request, body, writer in
            onBody?(request, body, writer)
            connection.setTaking(false)
        }
        try connection.send(Self.get)
        connection.handler.onBody = onBody
        try connection.send(Self.post("pipelined"))
        #expect(results() == [""])
        #expect(!handler.takesBytes)
        connection.setTaking(true)
        connection.turn()
        #expect(results() == ["", "pipelined"])
        #expect(handler.takesBytes && handler.wire.isReading)
        #expect(try connection.received() == Self.answer("") + Self.answer("pipelined"))
    }

    @Test func theAnswerMayComeLongAfterTheBody() throws {
        let connection = try EmbeddedConnection()
        var writer: (any ConnectionResponse)?
        connection.handler.onBody = { _, body, answering in
            writer = answering
            body.collect(upTo: .kibibytes(1), within: .seconds(5)) { _ in }
        }
        try connection.send(Self.post("body"))
        connection.advance(by: .hours(1))
        connection.turn { writer?.answer("ok") }
        #expect(try connection.received() == Self.answer("ok"))
        #expect(connection.isOpen)
    }

    // MARK: 100 Continue

    private static let expect = "Expect: 100-Continue\r\n"

    @Test func anExpectingClientGets100Continue() throws {
        let (connection, results) = try echoing()
        try connection.send(Self.post("", declared: 4, more: Self.expect))
        #expect(try connection.received() == "HTTP/1.1 100 Continue\r\n\r\n")
        try connection.send("body")
        #expect(results() == ["body"])
        #expect(try connection.received() == Self.answer("body"))
        #expect(connection.isOpen)
    }

    @Test func withoutANeedForTheBodyNo100ContinueIsSent() throws {
        let (connection, _) = try echoing()
        try connection.send(Self.post("", declared: 17, more: Self.expect))
        #expect(try connection.received().hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        let other = try EmbeddedConnection()
        try other.send(Self.post("", declared: 4, more: Self.expect))
        #expect(try other.received().hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    /// RFC 9110, section 10.1.1.
    @Test func anHTTP10ClientGetsNo100Continue() throws {
        let (connection, results) = try echoing()
        try connection.send("POST / HTTP/1.0\r\nContent-Length: 4\r\n\(Self.expect)\r\n")
        #expect(try connection.received().isEmpty)
        try connection.send("body")
        #expect(results() == ["body"])
    }

    // MARK: Failures

    @Test(arguments: [
        post("seventeen bytes.."), post("", declared: 17), post("", declared: 1 << 40),
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\nseventeen bytes..",
        chunked + "9\r\nnine byte\r\n8\r\neight by\r\n", chunked + "40\r\n" + String(repeating: "x", count: 64),
    ]) func aBodyBeyondTheLimitIsTooLarge(request: String) throws {
        let (connection, results) = try echoing()
        try connection.send(request)
        #expect(results() == ["\(RequestBody.Failure.tooLarge(limit: ByteCount(16)))"])
        #expect(try connection.received().contains("connection: close\r\n"))
        try connection.send(String(repeating: "x", count: 1000))
        #expect(results().count == 1)
        connection.advance(by: .seconds(6))
        #expect(!connection.isOpen && connection.timers.count == 0)
    }

    @Test func aBodyWhoseEndDoesNotComeInTimeIsTooSlow() throws {
        let (connection, results) = try echoing()
        try connection.send(Self.post("", declared: 10))
        for _ in 0..<4 {
            connection.advance(by: .seconds(1))
            try connection.send("x")
        }
        #expect(results().isEmpty)
        connection.advance(by: .milliseconds(1001))
        #expect(results() == ["tooSlow"])
        #expect(try connection.received().hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        try connection.send("xxxxxx")
        #expect(results() == ["tooSlow"])
    }

    @Test func malformedChunksFailTheBody() throws {
        let (connection, results) = try echoing()
        try connection.send(Self.chunked + "3\r\nabc\r\nnot a size\r\n")
        #expect(results() == ["malformed"])
        #expect(connection.handler.faults.isEmpty)
        #expect(try connection.received().hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        connection.advance(by: .seconds(6))
        #expect(!connection.isOpen)
    }

    @Test func aDisconnectWithinTheBodyIsReportedOnce() throws {
        let (connection, results) = try echoing()
        try connection.send(Self.post("half", declared: 10))
        try connection.leave()
        #expect(results() == ["brokenOff"])
        #expect(connection.timers.count == 0)
        connection.advance(by: .seconds(10))
        #expect(results() == ["brokenOff"])
    }

    @Test func anAnswerBeforeTheEndOfTheBodyFailsIt() throws {
        let connection = try EmbeddedConnection()
        var results: [Result<ByteBuffer, RequestBody.Failure>] = []
        connection.handler.onBody = { _, body, writer in
            body.collect(upTo: .kibibytes(1), within: .seconds(5)) { results.append($0) }
            writer.answer("early")
        }
        try connection.send(Self.post("half", declared: 10))
        #expect(results == [.failure(.brokenOff)])
        #expect(try connection.received().contains("connection: close\r\n"))
        try connection.send("rest..")
        #expect(results.count == 1)
    }

    @Test func aLateOrSecondRequestForTheBodyGetsNothing() throws {
        let connection = try EmbeddedConnection()
        var results: [Result<ByteBuffer, RequestBody.Failure>] = []
        var late: RequestBody?
        connection.handler.onBody = { request, body, writer in
            if request.path == "/" {
                body.collect(upTo: .kibibytes(1), within: .seconds(5)) { _ in writer.answer("ok") }
                body.collect(upTo: .kibibytes(1), within: .seconds(5)) { results.append($0) }
            } else {
                late = body
            }
        }
        try connection.send(Self.post("body"))
        #expect(results == [.failure(.brokenOff)])
        try connection.send("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
        late?.collect(upTo: .kibibytes(1), within: .seconds(5)) { results.append($0) }
        #expect(results == [.failure(.brokenOff), .failure(.brokenOff)])
    }

    @Test(arguments: [true, false]) func aBodyThatHasEndedIsReleased(ends: Bool) throws {
        let connection = try EmbeddedConnection()
        weak var held: RequestBody?
        connection.handler.onBody = { _, body, writer in
            held = body
            body.collect(upTo: .kibibytes(1), within: .seconds(5)) { _ in writer.answer("ok") }
        }
        try connection.send(Self.post("half", declared: 8))
        if ends { try connection.send("half") }
        try connection.leave()
        #expect(held == nil)
    }
}
