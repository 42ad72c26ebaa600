import NIOHTTP1
import Testing

@testable import Downstream

/// The ends of a response, and their reports.
@Suite struct ResponseWriterEndTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let chunkedHead = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    @Test func theEndIsReportedOnceTheClientHasTakenIt() throws {
        let delegate = ScriptedDelegate()
        let (connection, writer) = try EmbeddedConnection.answering(delegate: delegate)
        connection.turn()
        connection.setTaking(false)
        connection.turn {
            writer.write("last")
            writer.end()
        }
        #expect(delegate.finishes == 0)
        connection.setTaking(true)
        #expect(delegate.finishes == 1)
        #expect(delegate.closes == 0)
    }

    @Test func callsAfterTheEndDoNothing() throws {
        let (connection, writer) = try EmbeddedConnection.answering()
        connection.turn {
            writer.end()
            writer.end()
            writer.write("late")
            writer.breakOff()
        }
        #expect(try connection.received() == Self.chunkedHead + "0\r\n\r\n")
        #expect(connection.isOpen)
    }

    // MARK: Trailers

    private static let trailers: HTTPHeaders = ["X-Stream-Status": "complete", "X-Stream-Items": "2"]

    /// RFC 9112, section 7.1.2: between the last chunk and the empty line.
    @Test func trailersFollowTheLastChunk() throws {
        let (connection, writer) = try EmbeddedConnection.answering(
            "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n", headers: ["Trailer": "X-Stream-Status"])
        #expect(writer.canSendTrailers)
        connection.turn {
            writer.write("ab")
            writer.end(trailers: Self.trailers)
        }
        #expect(
            try connection.received()
                == "HTTP/1.1 200 OK\r\nTrailer: X-Stream-Status\r\ntransfer-encoding: chunked\r\n\r\n"
                + "2\r\nab\r\n0\r\nX-Stream-Status: complete\r\nX-Stream-Items: 2\r\n\r\n")
        #expect(connection.isOpen)
        try connection.send(Self.get)
        #expect(connection.handler.requests.count == 2)
    }

    @Test(arguments: [
        (ResponseWriterEndTests.get, ResponseBodyLength.unknown),
        ("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n", .length),
        ("GET / HTTP/1.0\r\nTE: trailers\r\n\r\n", .unknown),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n", .unknown),
    ]) func trailersForWhomTheyCannotReachAreDropped(request: String, body: ResponseBodyLength) throws {
        let (connection, writer) = try EmbeddedConnection.answering(
            request, body: body, headers: body == .length ? ["Content-Length": "2"] : [:])
        #expect(!writer.canSendTrailers)
        connection.turn {
            writer.write("ab")
            writer.end(trailers: Self.trailers)
        }
        #expect(try !connection.received().contains("X-Stream"))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n", true), (ResponseWriterEndTests.get, false),
        ("GET / HTTP/1.0\r\nTE: trailers\r\n\r\n", false),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n", false),
    ]) func whetherTrailersCanBeSentIsKnownBeforeTheHead(request: String, can: Bool) throws {
        let (_, writer) = try EmbeddedConnection.answering(request, body: nil)
        #expect(writer.canSendTrailers == can)
    }

    /// RFC 9112, section 8: a message that broke off must not look complete.
    @Test(arguments: [ResponseBodyLength.unknown, .length]) func aResponseThatBreaksOffHasNoEnd(
        body: ResponseBodyLength
    ) throws {
        let delegate = ScriptedDelegate()
        let (connection, writer) = try EmbeddedConnection.answering(
            body: body, headers: body == .length ? ["Content-Length": "100"] : [:], delegate: delegate)
        connection.turn {
            writer.write("half")
            writer.breakOff()
            writer.end()
            writer.breakOff()
        }
        let received = try connection.received()
        #expect(received.hasSuffix(body == .length ? "\r\n\r\nhalf" : "\r\n4\r\nhalf\r\n"))
        #expect(!connection.isOpen)
        #expect(delegate.finishes == 1)
    }

    @Test func aResponseThatBreaksOffWaitsUntilItsLastBytesAreTaken() throws {
        let (connection, writer) = try EmbeddedConnection.answering()
        connection.turn()
        connection.setTaking(false)
        connection.turn {
            writer.write("half")
            writer.breakOff()
        }
        #expect(connection.isOpen)
        connection.setTaking(true)
        #expect(!connection.isOpen)
    }

    @Test func breakingOffBeforeTheHeadSendsNothing() throws {
        let (connection, writer) = try EmbeddedConnection.answering(body: nil)
        connection.turn { writer.breakOff() }
        #expect(try connection.received().isEmpty)
        #expect(!connection.isOpen)
    }

    @Test func abortingClosesAtOnce() throws {
        let delegate = ScriptedDelegate()
        let (connection, writer) = try EmbeddedConnection.answering(delegate: delegate)
        connection.turn()
        connection.setTaking(false)
        connection.turn { writer.write("held") }
        writer.abort()
        #expect(!connection.isOpen)
        #expect(delegate.closes == 1)
    }

    @Test func closingAfterwardsIsSaidInTheHead() throws {
        let (connection, writer) = try EmbeddedConnection.answering(body: nil)
        connection.turn {
            writer.closeAfterwards()
            writer.answer("ok")
        }
        #expect(try connection.received().contains("connection: close\r\n"))
        #expect(!connection.isOpen)
    }

    @Test(arguments: [true, false]) func aResponseThatHasEndedIsReleased(ends: Bool) throws {
        let connection = try EmbeddedConnection()
        weak var writer: (any ConnectionResponse)?
        weak var delegate: ScriptedDelegate?
        connection.handler.onRequest = {
            let listens = ScriptedDelegate()
            $1.delegate = listens
            (writer, delegate) = ($1, listens)
            if ends { $1.answer("ok") }
        }
        try connection.send(Self.get)
        if !ends { try connection.leave() }
        #expect(writer == nil && delegate == nil)
    }
}
