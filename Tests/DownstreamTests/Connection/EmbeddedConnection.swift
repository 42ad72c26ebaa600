import Flow
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing

@testable import Downstream

/// Answers requests by the closures of a test.
final class ScriptedHandler: RequestHandler {
    private(set) var requests: [Request] = []
    private(set) var faults: [RequestFault] = []
    /// Answers a request; by default with a short text.
    var onRequest: (Request, any ConnectionResponse) -> Void = { $1.answer("ok") }
    /// Answers a request with a body, instead.
    var onBody: ((Request, RequestBody, any ConnectionResponse) -> Void)?
    var onFault: (RequestFault, any ConnectionResponse) -> Void = { fault, writer in
        writer.answer("\(fault)", status: .badRequest)
    }

    var paths: [String] { requests.map { String($0.path) } }

    func requestArrived(_ request: Request, body: RequestBody, writer: any ConnectionResponse) {
        requests.append(request)
        guard let onBody else { return onRequest(request, writer) }
        onBody(request, body, writer)
    }

    func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse) {
        faults.append(fault)
        onFault(fault, writer)
    }
}

extension ClientResponse {
    /// Answers with a body of known length.
    func answer(_ body: String, status: HTTPResponseStatus = .ok) {
        writeHead(status, headers: ["content-length": "\(body.utf8.count)"], body: .length)
        write(body)
        end()
    }

    func write(_ text: String) { Array(text.utf8).withUnsafeBytes { write($0) } }
}

/// Counts what a writer reports.
final class ScriptedDelegate: ResponseWriterDelegate {
    private(set) var rooms = 0, blocks = 0, finishes = 0, closes = 0
    var onRoom: () -> Void = {}
    var onBlocked: () -> Void = {}

    /// Whether the last call has come.
    var isOver: Bool { finishes + closes > 0 }

    func responseCaughtUp() {
        #expect(!isOver)
        rooms += 1
        onRoom()
    }

    func responseBlocked() {
        #expect(!isOver)
        blocks += 1
        onBlocked()
    }

    func responseFinished() {
        #expect(!isOver)
        finishes += 1
    }

    func responseClosed() {
        #expect(!isOver)
        closes += 1
    }
}

/// A client connection without a socket: the test is the client, the clock and the kernel.
final class EmbeddedConnection {
    let loop: EmbeddedEventLoop
    let channel: EmbeddedChannel
    let handler: ScriptedHandler
    let listener: Listener
    let outbox: Outbox
    let timers: LoopTimers

    convenience init(limits: ConnectionLimits = .init()) throws {
        let loop = EmbeddedEventLoop(), outbox = Outbox(), handler = ScriptedHandler()
        let clock = { Instant(loop.now) }
        let timers = LoopTimers(on: loop, clock: clock)
        timers.turnEnded = { outbox.turnEnded() }
        let listener = Listener(
            on: loop, limits: limits, outbox: outbox, timers: timers, clock: clock, gate: nil, handler: handler)
        try self.init(loop: loop, handler: handler, listener: listener)
    }

    /// A connection whose request is being answered, and the writer that answers it.
    ///
    /// - Parameters:
    ///   - request: What the client sent.
    ///   - body: How the body is delimited; `nil` if the head is not written yet.
    ///   - headers: The fields of the head.
    ///   - delegate: Gets the reports on the response.
    /// - Returns: Both.
    /// - Throws: If the request did not arrive.
    static func answering(
        _ request: String = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", body: ResponseBodyLength? = .unknown,
        headers: HTTPHeaders = [:], delegate: ScriptedDelegate? = nil
    ) throws -> (EmbeddedConnection, any ConnectionResponse) {
        let connection = try EmbeddedConnection()
        var writer: (any ConnectionResponse)?
        connection.handler.onRequest = {
            $1.delegate = delegate
            if let body { $1.writeHead(.ok, headers: headers, body: body) }
            writer = $1
        }
        try connection.send(request)
        return (connection, try #require(writer))
    }

    /// Another connection through the same listener.
    func makeSibling() throws -> EmbeddedConnection {
        try EmbeddedConnection(loop: loop, handler: handler, listener: listener)
    }

    private init(loop: EmbeddedEventLoop, handler: ScriptedHandler, listener: Listener) throws {
        (self.loop, self.handler, self.listener) = (loop, handler, listener)
        (outbox, timers) = (listener.services.outbox, listener.services.timers)
        channel = EmbeddedChannel(loop: loop)
        let peer = try SocketAddress(ipAddress: "192.0.2.1", port: 1)
        channel.remoteAddress = peer
        try listener.configure(channel)
        try channel.connect(to: peer).wait()
    }

    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

    var isOpen: Bool { channel.isActive }

    func send(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
        loop.run()
    }

    /// Everything that was written to the socket since the last call.
    func received() throws -> String {
        var text = ""
        while let piece = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: piece) }
        return text
    }

    /// The client closes the connection.
    func leave() throws { try channel.close().wait() }

    /// The socket takes no more, or takes again.
    func setTaking(_ isTaking: Bool) {
        channel.isWritable = isTaking
        channel.pipeline.fireChannelWritabilityChanged()
    }

    /// A turn of the loop that has another cause: does this and ends.
    func turn(_ body: () -> Void = {}) {
        body()
        outbox.turnEnded()
        loop.run()
    }

    func advance(by time: TimeAmount) { loop.advanceTime(by: time) }
}
