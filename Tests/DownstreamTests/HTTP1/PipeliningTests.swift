import Flow
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Downstream

/// One request at a time, and a bound on the buffered bytes of the next.
@Suite struct PipeliningTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = Never
        private(set) var reads = 0

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }

    /// A connection whose first request is being answered.
    private func answering() throws -> (EmbeddedConnection, any ConnectionResponse, ReadCounter) {
        let (connection, writer) = try EmbeddedConnection.answering(body: nil)
        let counter = ReadCounter()
        try connection.channel.pipeline.syncOperations.addHandler(counter, position: .first)
        return (connection, writer, counter)
    }

    @Test func theSocketIsReadUntilBytesOfTheNextRequestArrive() throws {
        let (connection, writer, counter) = try answering()
        connection.channel.pipeline.read()
        #expect(counter.reads == 1)
        try connection.send(Self.get)
        connection.channel.pipeline.read()
        #expect(counter.reads == 1)
        connection.turn { writer.answer("ok") }
        #expect(connection.handler.requests.count == 2)
        #expect(counter.reads == 2)
    }

    @Test func theSocketIsReadForTheBodyThatIsBeingReceived() throws {
        let connection = try EmbeddedConnection()
        let counter = ReadCounter()
        try connection.channel.pipeline.syncOperations.addHandler(counter, position: .first)
        connection.handler.onBody = { _, body, _ in body.collect(upTo: .kibibytes(1), within: .seconds(5)) { _ in } }
        try connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        let before = counter.reads
        connection.channel.pipeline.read()
        #expect(counter.reads == before + 1)
    }

    /// When a client has closed, the channel reads all that the kernel holds at once.
    @Test func theBufferIsBounded() throws {
        let (connection, writer, _) = try answering()
        let handler = try connection.channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
        for _ in 0..<100 { try connection.send(String(repeating: Self.get, count: 1000)) }
        #expect(handler.requests.isEmpty)
        connection.turn { writer.answer("ok") }
        #expect(connection.handler.requests.count == 1)
        #expect(try connection.received() == Self.ok)
    }

    @Test func partOfTheNextHeadHasItsTimeFromTheEndOfTheResponse() throws {
        let (connection, writer, _) = try answering()
        try connection.send("GET / HT")
        connection.advance(by: .hours(1))
        connection.turn { writer.answer("ok") }
        connection.advance(by: .milliseconds(9_999))
        #expect(connection.handler.faults.isEmpty)
        connection.advance(by: .milliseconds(2))
        #expect(connection.handler.faults == [.headTooSlow])
    }

    @Test func aFaultIsAnsweredAfterTheResponseBeforeIt() throws {
        let (connection, writer, _) = try answering()
        try connection.send(Self.get + "GET / HTTP/1.1\r\nA b\r\n\r\n" + Self.get)
        #expect(connection.handler.faults.isEmpty)
        connection.turn { writer.answer("ok") }
        #expect(connection.handler.faults.isEmpty && connection.handler.requests.count == 2)
    }

    @Test func aPipelinedRequestIsAnsweredThoughTheListenerDrains() throws {
        let (connection, writer, _) = try answering()
        writer.writeHead(.ok, headers: ["content-length": "2"], body: .length)
        try connection.send(Self.get)
        connection.listener.drain()
        connection.handler.onRequest = { $1.answer("ok") }
        connection.turn {
            writer.write("ok")
            writer.end()
        }
        #expect(try connection.received().hasSuffix("connection: close\r\n\r\nok"))
        #expect(!connection.isOpen)
    }

    // MARK: Clients that leave, and time that runs out

    /// What a client has sent, in each state of a connection; whether the request is answered.
    private static let states: [(sent: String, answers: Bool, faults: [RequestFault])] = [
        ("", false, []), ("\r\n", false, []), ("G", false, [.malformed]),
        ("GET / HTTP/1.1\r\nHos", false, [.malformed]),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r", false, [.malformed]), (get, false, []), (get + "GET", false, []),
        (get + get, false, []), (get, true, []), (get + "GET /", true, [.malformed]),
        ("\u{16}\u{3}", true, [.malformed]),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", false, []),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", true, []),
        (chunked, false, []), (chunked + "5", false, []), (chunked + "5;a", false, []),
        (chunked + "5\r\nhel", false, []),
        (chunked + "5\r\nhello", false, []), (chunked + "5\r\nhello\r", false, []), (chunked + "0\r\n", false, []),
        (chunked + "0\r\nX-Su", false, []), (chunked + "0\r\nX-Sum: 1\r\n\r", false, []), (chunked + "0\r\n", true, []),
    ]
    private static let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    private func connection(in state: Int, _ delegate: ScriptedDelegate) throws -> EmbeddedConnection {
        let (sent, answers, _) = Self.states[state]
        let connection = try EmbeddedConnection()
        connection.handler.onBody = { _, body, writer in
            writer.delegate = delegate
            body.collect(upTo: .kibibytes(1), within: .seconds(5)) { _ in }
            if answers { writer.answer("ok") }
        }
        try connection.send(sent)
        return connection
    }

    @Test(arguments: states.indices) func aClientMayLeaveInAnyState(state: Int) throws {
        let delegate = ScriptedDelegate()
        let connection = try connection(in: state, delegate)
        // An embedded channel is closed by the half-close before lingering.
        try? connection.leave()
        connection.advance(by: .hours(2))
        #expect(connection.handler.faults == Self.states[state].faults)
        #expect(connection.timers.count == 0 && connection.listener.connectionCount == 0)
        #expect(delegate.isOver != connection.handler.requests.isEmpty)
    }

    @Test(arguments: states.indices) func timeRunsOutInAnyState(state: Int) throws {
        let delegate = ScriptedDelegate()
        let connection = try connection(in: state, delegate)
        connection.advance(by: .hours(2))
        // A request that is being answered has no limit here.
        let isAnswering = !connection.handler.requests.isEmpty && !Self.states[state].answers
        #expect(connection.isOpen == isAnswering)
        try? connection.leave()
        #expect(connection.timers.count == 0 && connection.listener.connectionCount == 0)
    }

    @Test(arguments: states.indices) func aClientMayLeaveWhileItsResponseIsNotTaken(state: Int) throws {
        let delegate = ScriptedDelegate()
        let connection = try connection(in: state, delegate)
        connection.setTaking(false)
        try? connection.send("\r\n0\r\n\r\n")
        try? connection.leave()
        connection.advance(by: .hours(2))
        #expect(connection.timers.count == 0 && connection.listener.connectionCount == 0)
    }
}
