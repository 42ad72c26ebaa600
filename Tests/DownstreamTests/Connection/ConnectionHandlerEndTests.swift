import Flow
import NIOCore
import NIOHTTP1
import Testing

@testable import Downstream

/// The time limits of a connection, and its ends.
@Suite struct ConnectionHandlerEndTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    // MARK: Time

    @Test func aClientThatSendsNothingIsClosedWithoutAWord() throws {
        let connection = try EmbeddedConnection(limits: .init(headerTime: .seconds(10)))
        connection.advance(by: .milliseconds(9999))
        #expect(connection.isOpen)
        connection.advance(by: .milliseconds(2))
        #expect(!connection.isOpen)
        #expect(connection.handler.faults.isEmpty)
    }

    @Test func aLateHeadIsAFault() throws {
        let connection = try EmbeddedConnection(limits: .init(headerTime: .seconds(10)))
        connection.advance(by: .seconds(5))
        try connection.send("GET / HTTP/1.1\r\n")
        connection.advance(by: .milliseconds(9999))
        #expect(connection.handler.faults.isEmpty)
        connection.advance(by: .milliseconds(2))
        #expect(connection.handler.faults == [.headTooSlow])
        #expect(try connection.received().hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
    }

    /// A byte now and then does not extend the time, as slow-loris attacks would have it.
    @Test func aHeadThatArrivesByteByByteHasNoLongerTime() throws {
        let connection = try EmbeddedConnection(limits: .init(headerTime: .seconds(10)))
        for byte in "GET / HT" {
            try connection.send(String(byte))
            connection.advance(by: .seconds(1))
        }
        #expect(connection.handler.faults.isEmpty)
        try connection.send("T")
        connection.advance(by: .milliseconds(2001))
        #expect(connection.handler.faults == [.headTooSlow])
    }

    @Test func anIdleConnectionIsClosedWithoutAWord() throws {
        let connection = try EmbeddedConnection(limits: .init(headerTime: .seconds(10), keepaliveTime: .seconds(75)))
        try connection.send(Self.get)
        #expect(try connection.received() == Self.ok)
        connection.advance(by: .seconds(74))
        #expect(connection.isOpen)
        try connection.send(Self.get)
        #expect(try connection.received() == Self.ok)
        connection.advance(by: .milliseconds(74_999))
        #expect(connection.isOpen)
        connection.advance(by: .milliseconds(2))
        #expect(!connection.isOpen)
        #expect(try connection.received().isEmpty)
        #expect(connection.handler.faults.isEmpty)
    }

    @Test func theHeadOfASecondRequestHasItsTimeToo() throws {
        let connection = try EmbeddedConnection(limits: .init(headerTime: .seconds(10), keepaliveTime: .seconds(75)))
        try connection.send(Self.get)
        connection.advance(by: .seconds(60))
        try connection.send("GET / HTTP/1.1\r\n")
        connection.advance(by: .milliseconds(10_001))
        #expect(connection.handler.faults == [.headTooSlow])
    }

    @Test func aRequestThatIsBeingAnsweredHasNoTimeLimitHere() throws {
        let connection = try EmbeddedConnection(limits: .init(headerTime: .seconds(10), keepaliveTime: .seconds(75)))
        var writer: (any ConnectionResponse)?
        connection.handler.onRequest = { writer = $1 }
        try connection.send(Self.get)
        connection.advance(by: .hours(10))
        #expect(connection.isOpen)
        connection.turn { writer?.answer("ok") }
        #expect(try connection.received() == Self.ok)
    }

    @Test func aClientThatDoesNotTakeTheEndIsClosedInTheEnd() throws {
        let connection = try EmbeddedConnection(limits: .init(keepaliveTime: .seconds(75)))
        let delegate = ScriptedDelegate()
        connection.handler.onRequest = { _, writer in
            writer.delegate = delegate
            writer.answer("ok")
            connection.setTaking(false)
        }
        try connection.send(Self.get)
        #expect(delegate.finishes == 0)
        connection.advance(by: .seconds(76))
        #expect(!connection.isOpen)
        #expect(delegate.closes == 1)
    }

    @Test func aClosedConnectionHasNoTimer() throws {
        let connection = try EmbeddedConnection()
        try connection.send(Self.get)
        #expect(connection.timers.count == 1)
        try connection.leave()
        #expect(connection.timers.count == 0)
        #expect(connection.listener.connectionCount == 0)
    }

    // MARK: Leaving

    @Test func aDisconnectIsReportedToTheResponse() throws {
        let connection = try EmbeddedConnection()
        let delegate = ScriptedDelegate()
        var writer: (any ConnectionResponse)?
        connection.handler.onRequest = {
            $1.delegate = delegate
            $1.writeHead(.ok, headers: [:], body: .unknown)
            writer = $1
        }
        try connection.send(Self.get)
        try connection.leave()
        #expect(delegate.closes == 1 && delegate.finishes == 0)
        // A late call does no harm.
        writer?.write("late")
        #expect(writer?.room == 0)
        writer?.end()
        writer?.breakOff()
        writer?.abort()
        connection.turn()
        #expect(delegate.closes == 1 && delegate.finishes == 0)
    }

    // MARK: Draining

    @Test func drainingClosesAnIdleConnection() throws {
        let connection = try EmbeddedConnection()
        try connection.send(Self.get)
        connection.listener.drain()
        #expect(!connection.isOpen)
    }

    @Test func aDrainClosesAfterTheAnswer() throws {
        let connection = try EmbeddedConnection()
        var writer: (any ConnectionResponse)?
        connection.handler.onRequest = { writer = $1 }
        try connection.send(Self.get)
        connection.listener.drain()
        #expect(connection.isOpen)
        connection.turn { writer?.answer("ok") }
        #expect(try connection.received().contains("connection: close\r\n"))
        #expect(!connection.isOpen)
    }

    @Test func aDrainClosesAfterAnAnswerThatHasBegun() throws {
        let connection = try EmbeddedConnection()
        var writer: (any ConnectionResponse)?
        connection.handler.onRequest = {
            $1.writeHead(.ok, headers: [:], body: .unknown)
            writer = $1
        }
        try connection.send(Self.get)
        connection.listener.drain()
        connection.turn { writer?.end() }
        #expect(!connection.isOpen)
        #expect(try connection.received().hasSuffix("0\r\n\r\n"))
    }
}
