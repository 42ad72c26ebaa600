import NIOHTTP1
import Testing

@testable import Downstream

/// How a response ends, and who hears of it.
@Suite struct ResponseWriterEndTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let chunkedHead = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    @Test func theEndIsToldOnceTheClientHasTakenIt() throws {
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

    @Test func whatComesBehindTheEndDoesNothing() throws {
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

    /// RFC 9112, section 8: a message that broke off must not look complete.
    @Test(arguments: [ResponseWriter.Body.unknown, .length]) func aResponseThatBreaksOffHasNoEnd(
        body: ResponseWriter.Body
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

    @Test(arguments: [true, false]) func aResponseThatIsOverIsLetGo(ends: Bool) throws {
        let connection = try EmbeddedConnection()
        weak var writer: ResponseWriter?
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
