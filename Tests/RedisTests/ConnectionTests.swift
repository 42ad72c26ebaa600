import NIOCore
import NIOEmbedded
import Testing

@testable import Redis

@Suite struct ConnectionTests {
    private let channel = EmbeddedChannel()
    private let connection = Connection(replyTimeout: .seconds(2), maximumInFlight: 3)
    private let log = Log()

    private final class Log {
        var results: [String: Result<Reply, CommandFailure>] = [:]
        var ends: [ConnectFailure] = []
        var messages: [[UInt8]] = []
    }

    init() throws {
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let log = log
        connection.ended = { log.ends.append($0) }
    }

    private func send(_ word: String, within time: TimeAmount = .milliseconds(25)) {
        let log = log
        connection.send(Command(word), within: time) {
            #expect(log.results[word] == nil, "a second call for \(word)")
            log.results[word] = $0
        }
    }

    private func receive(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

    private var sent: [String] {
        var writes: [String] = []
        while let buffer = try? channel.readOutbound(as: ByteBuffer.self) { writes.append(String(buffer: buffer)) }
        return writes
    }

    private func advance(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

    @Test func theCommandsOfATurnAreOneWrite() throws {
        send("A")
        send("BC")
        #expect(sent == [])
        channel.embeddedEventLoop.run()
        #expect(sent == ["*1\r\n$1\r\nA\r\n*1\r\n$2\r\nBC\r\n"])
        try receive("+1\r\n+2\r\n")
        #expect(log.results == ["A": .success(.status("1")), "BC": .success(.status("2"))])
    }

    @Test func aLateReplyIsNotThatOfTheNextCommand() throws {
        send("A")
        advance(.milliseconds(25))
        #expect(log.results == ["A": .failure(.timedOut)])
        send("B", within: .seconds(1))
        try receive("+late\r\n")
        #expect(log.results["B"] == nil)
        try receive("+B\r\n")
        #expect(log.results["B"] == .success(.status("B")))
        #expect(log.ends.isEmpty)
    }

    @Test func aShortDeadlineAfterALongOneIsKept() {
        send("A", within: .seconds(1))
        send("B", within: .milliseconds(5))
        advance(.milliseconds(5))
        #expect(log.results == ["B": .failure(.timedOut)])
        advance(.milliseconds(995))
        #expect(log.results["A"] == .failure(.timedOut))
    }

    @Test func closesWhenTheOldestReplyIsMissingForTooLong() {
        send("A")
        advance(.seconds(1))
        send("B", within: .seconds(5))
        advance(.seconds(1))
        #expect(log.results == ["A": .failure(.timedOut), "B": .failure(.notConnected)])
        #expect(log.ends == [.timedOut])
        advance(.seconds(10))
        #expect(log.ends == [.timedOut])
    }

    private func run(_ name: String, within time: TimeAmount = .milliseconds(25)) {
        let log = log
        connection.run(ScriptCall(Script("x"), keys: 1, arguments: 0) { $0.write(name) }, within: time) {
            #expect(log.results[name] == nil, "a second call for \(name)")
            log.results[name] = $0
        }
    }

    @Test func aScriptThatIsNotKnownIsSentOnceWithinTheTimeOfItsCall() throws {
        connection.digests[Script("x")] = "d"
        run("A")
        advance(.milliseconds(20))
        #expect(sent == ["*4\r\n$7\r\nEVALSHA\r\n$1\r\nd\r\n$1\r\n1\r\n$1\r\nA\r\n"])
        try receive("-NOSCRIPT\r\n")
        channel.embeddedEventLoop.run()
        #expect(sent == ["*4\r\n$4\r\nEVAL\r\n$1\r\nx\r\n$1\r\n1\r\n$1\r\nA\r\n"])
        advance(.milliseconds(4))
        #expect(log.results.isEmpty)
        advance(.milliseconds(1))
        #expect(log.results == ["A": .failure(.timedOut)])
        try receive("+late\r\n")
        run("B")
        try receive("-NOSCRIPT\r\n")
        try receive("-NOSCRIPT\r\n")
        #expect(log.results["B"] == .failure(.refused(ServerError("NOSCRIPT"))))
    }

    @Test func aScriptThatIsNotKnownIsNotSentAfterTheTimeOfItsCall() throws {
        connection.digests[Script("x")] = "d"
        run("A")
        advance(.milliseconds(25))
        #expect(log.results == ["A": .failure(.timedOut)])
        #expect(sent.count == 1)
        try receive("-NOSCRIPT\r\n")
        channel.embeddedEventLoop.run()
        #expect(sent.isEmpty && connection.inFlight == 0)
    }

    /// A channel that does not close, like one whose TLS peer does not agree to the end.
    private final class Lingering: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {}
    }

    @Test func endsAtOnceAlthoughTheChannelDoesNotClose() throws {
        try channel.pipeline.syncOperations.addHandler(Lingering(), position: .first)
        send("A", within: .seconds(5))
        advance(.seconds(2))
        #expect(log.results == ["A": .failure(.notConnected)])
        #expect(log.ends == [.timedOut])
        try receive("+late\r\n")
        send("B")
        advance(.seconds(10))
        #expect(log.results["B"] == .failure(.notConnected))
        #expect(log.ends == [.timedOut] && connection.inFlight == 0)
    }

    @Test func theNumberOfCommandsIsBounded() throws {
        for word in ["A", "B", "C", "D"] { send(word, within: .seconds(1)) }
        #expect(log.results == ["D": .failure(.tooManyInFlight)])
        // A command whose time is over counts until its reply: the server has not processed it yet.
        advance(.seconds(1))
        send("E")
        #expect(log.results["E"] == .failure(.tooManyInFlight))
        try receive("+A\r\n")
        send("F")
        #expect(log.results["F"] == nil)
    }

    @Test func errorsAreReported() throws {
        send("A")
        try receive("-BUSY Redis is busy\r\n")
        #expect(log.results["A"] == .failure(.refused(ServerError("BUSY Redis is busy"))))
        #expect(log.ends.isEmpty)
        send("B")
        send("C", within: .seconds(1))
        try receive("-READONLY a replica\r\n+more\r\n")
        #expect(log.results["B"] == .failure(.refused(ServerError("READONLY a replica"))))
        #expect(log.results["C"] == .failure(.notConnected))
        #expect(log.ends == [.refused(ServerError("READONLY a replica"))])
    }

    @Test(arguments: ["+unsolicited\r\n", "HTTP/1.1 400 Bad Request\r\n"]) func closesOnOtherBytes(_ bytes: String)
        throws
    {
        try receive(bytes)
        #expect(log.ends == [bytes.hasPrefix("+") ? .unexpectedReply : .malformedReply(.type(0x48))])
        send("A")
        #expect(log.results == ["A": .failure(.notConnected)])
    }

    @Test func everyCommandFailsWhenTheServerCloses() throws {
        send("A", within: .seconds(9))
        advance(.milliseconds(1))
        try channel.close().wait()
        advance(.seconds(20))
        #expect(log.results == ["A": .failure(.notConnected)])
        #expect(log.ends == [.closed])
    }

    @Test func messagesAreNotReplies() throws {
        let log = log
        connection.messageArrived = { log.messages.append($0) }
        send("PING")
        try receive("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n")
        #expect(log.messages == [Array("hi".utf8)])
        #expect(log.results["PING"] == .success(.array([.bytes(Array("pong".utf8)), .bytes([])])))
    }

    @Test func aCallbackMaySendAndClose() throws {
        connection.send(Command("A"), within: .seconds(1)) { [self] _ in
            send("B", within: .seconds(1))
            connection.close(.closed)
        }
        try receive("+a\r\n")
        #expect(log.results == ["B": .failure(.notConnected)])
        #expect(log.ends == [.closed])
    }
}
