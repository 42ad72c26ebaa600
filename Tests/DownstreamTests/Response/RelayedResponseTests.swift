import Flow
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing

@testable import Downstream

/// Responses whose connection lives on one loop and whose stream on another.
@Suite(.timeLimit(.minutes(10))) struct RelayedResponseTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n"
    private static let line = String(repeating: "x", count: 99) + "\n"

    /// Answers each request from the other loop.
    private static func relay(
        _ bench: isolated SocketBench, _ serve: @escaping @Sendable (RelayedResponse) -> Void
    ) {
        let (here, there) = (bench.eventLoop, bench.otherLoop)
        bench.handler.onRequest = { _, writer in
            let handOver = ResponseHandOver(of: writer, on: here)
            there.execute { serve(RelayedResponse(handOver, on: there)) }
        }
    }

    @Test func aWholeResponseCrossesInOrder() async throws {
        try await SocketBench.run { bench, listener in
            let state = Watched(RelayedStream.State())
            Self.relay(bench) { response in
                #expect(response.canSendTrailers && !response.hasHead && response.room == 0)
                RelayedStream(response, line: "one two three\n", lines: 50_000, state: state) {
                    $0.end(trailers: ["X-Stream-Items": "50000"])
                }.start(headers: ["Trailer": "X-Stream-Items"])
            }
            let client = try await SocketClient(try await bench.bind(listener))
            try await client.send(Self.get)
            let end = "0\r\nX-Stream-Items: 50000\r\n\r\n"
            let text = try await client.state.wait(for: "the end") { $0.text.hasSuffix(end) }.text
            #expect(Self.dechunked(text) == String(repeating: "one two three\n", count: 50_000))
            try await state.wait(for: "the last call") { $0.finishes == 1 && $0.closes == 0 }
            try await state.wait(for: "the stream's release") { $0.isGone }
            bench.handler.onRequest = { $1.answer("on the same connection") }
            try await client.send(Self.get)
            try await client.state.wait(for: "the next answer") { $0.text.hasSuffix("on the same connection") }
        }
    }

    @Test func informationalHeadsCrossBeforeTheHead() async throws {
        try await SocketBench.run { bench, listener in
            Self.relay(bench) { response in
                response.writeInterim(.processing, headers: ["X-Step": "1"])
                response.respond(.ok, headers: [:], text: "done")
            }
            let client = try await SocketClient(try await bench.bind(listener))
            try await client.send(Self.get)
            let state = try await client.state.wait(for: "the answer") { $0.text.hasSuffix("done") }
            #expect(
                state.text
                    == "HTTP/1.1 102 Processing\r\nX-Step: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        }
    }

    @Test func aShortAnswerCrossesAtOnce() async throws {
        try await SocketBench.run { bench, listener in
            Self.relay(bench) { response in
                response.closeAfterwards()
                response.respond(.gone, headers: [:], text: "expired")
            }
            let client = try await SocketClient(try await bench.bind(listener))
            try await client.send(Self.get)
            let state = try await client.state.wait(for: "the close") { $0.isClosed }
            #expect(state.text == "HTTP/1.1 410 Gone\r\nContent-Length: 7\r\nconnection: close\r\n\r\nexpired")
        }
    }

    /// No socket takes the body of an answer to HEAD: there must be room for it nevertheless.
    @Test func theBodyOfAnAnswerToHEADIsDiscarded() async throws {
        try await SocketBench.run { bench, listener in
            let state = Watched(RelayedStream.State())
            Self.relay(bench) {
                RelayedStream($0, line: Self.line, lines: 10_000, state: state)
                    .start(.length, headers: ["Content-Length": "1000000"])
            }
            let client = try await SocketClient(try await bench.bind(listener))
            try await client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await state.wait(for: "the last call") { $0.finishes == 1 && $0.written == 1_000_000 }
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
            let answer = try await client.state.wait(for: "the head") { $0.text.hasSuffix("\r\n\r\n") }
            #expect(answer.text == head)
        }
    }

    @Test func aClientThatDoesNotReadHoldsTheStreamUpAndGetsTheRestWhenItReads() async throws {
        let lines = 200_000, total = lines * Self.line.utf8.count
        try await SocketBench.run { bench, listener in
            let state = Watched(RelayedStream.State()), held = Watched<NIOLoopBound<RelayedResponse>?>(nil)
            let there = bench.otherLoop
            Self.relay(bench) { response in
                response.expectPace(true)
                held.update { $0 = NIOLoopBound(response, eventLoop: there) }
                RelayedStream(response, line: Self.line, lines: lines, state: state)
                    .start(.length, headers: ["Content-Length": "\(total)"])
            }
            let client = try await SocketClient(try await bench.bind(listener), reads: false)
            try await client.send(Self.get)
            try await state.wait(for: "the response to be blocked") { $0.blocks > 0 }
            let response = try #require(held.value)
            let taken = { @Sendable in try await there.submit { response.value.bytesTaken.bytes }.get() }
            // The kernels settle: what arrived is what is reported, and the rest is one batch on each side and their limit.
            while try await taken() != client.arrivedBytes() {}
            let written = state.value.written, arrived = try await client.arrivedBytes()
            #expect(written - arrived <= 2 * BatchSize.maximum + UnsentLimit.metered.bytes + (64 << 10))
            #expect(written < total)
            try await client.read(atLeast: written / 2)
            while try await taken() <= arrived {}
            try await client.startReading()
            try await state.wait(for: "the end to be taken") { $0.finishes == 1 }
            let head = "HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n".utf8.count
            try await client.state.wait(for: "the rest") { $0.received.count == head + total }
        }
    }

    @Test func aDisconnectIsReportedOnce() async throws {
        try await SocketBench.run { bench, listener in
            let state = Watched(RelayedStream.State())
            Self.relay(bench) { RelayedStream($0, line: Self.line, lines: .max, state: state).start() }
            let client = try await SocketClient(try await bench.bind(listener), reads: false)
            try await client.send(Self.get)
            try await state.wait(for: "the response to be blocked") { $0.blocks > 0 }
            try await client.close()
            try await state.wait(for: "the last call") { $0.closes == 1 && $0.finishes == 0 }
            try await state.wait(for: "the stream's release") { $0.isGone }
        }
    }

    /// The connection may be gone before the other loop has the response, or even before it is passed on.
    @Test(arguments: [true, false]) func anEarlyDisconnectIsReportedToTheOtherLoop(before: Bool) throws {
        let (connection, writer) = try EmbeddedConnection.answering(body: nil)
        if before { try connection.leave() }
        let handOver = ResponseHandOver(of: writer, on: connection.loop)
        if !before { try connection.leave() }
        let delegate = ScriptedDelegate()
        let response = RelayedResponse(handOver, on: connection.loop)
        response.delegate = delegate
        response.respond(.ok, headers: [:], text: "late")
        connection.loop.run()
        #expect(delegate.closes == 1)
        response.abort()
        connection.loop.run()
        #expect(delegate.closes == 1 && response.room == 0)
    }

    /// Ends of every kind against clients that leave at any time: each side gets exactly one end, and is released.
    @Test(arguments: 0..<12) func everyRaceEndsOnce(seed: Int) async throws {
        try await SocketBench.run { bench, listener in
            var random = SeededGenerator(seed: seed)
            let address = try await bench.bind(listener)
            for _ in 0..<25 {
                let state = Watched(RelayedStream.State())
                let lines = Int.random(in: 0...3000, using: &random), kind = Int.random(in: 0..<4, using: &random)
                Self.relay(bench) { response in
                    RelayedStream(response, line: Self.line, lines: lines, state: state) {
                        switch kind {
                        case 0: $0.abort()
                        case 1: $0.breakOff()
                        default: $0.end()
                        }
                    }.start()
                }
                let client = try await SocketClient(address, reads: Bool.random(using: &random))
                let leavesAfter = Int.random(in: 0...400_000, using: &random)
                try await client.send(Self.get)
                if Bool.random(using: &random) {
                    try await state.wait(for: "some writes") {
                        $0.written >= leavesAfter || $0.isOver || $0.blocks > 0
                            || $0.written == lines * Self.line.utf8.count
                    }
                }
                try? await client.close()  // which an abort has reset already
                try await state.wait(for: "the last call") { $0.isOver }
                try await state.wait(for: "the stream's release") { $0.isGone }
                #expect(state.value.finishes + state.value.closes == 1)
            }
            try await bench.wait(for: "every connection to close") { listener.connectionCount == 0 }
        }
    }

    // MARK: One turn, one batch

    @Test func whatOneTurnWritesIsOneBatchAndTheNextWaitsForIt() throws {
        let (connection, writer) = try EmbeddedConnection.answering(body: nil)
        let delegate = ScriptedDelegate()
        let response = RelayedResponse(
            ResponseHandOver(of: writer, on: connection.loop), on: connection.loop)
        response.delegate = delegate
        response.writeHead(.ok, headers: [:], body: .unknown)
        for word in ["one ", "two "] { Array(word.utf8).withUnsafeBytes { response.write($0) } }
        #expect(response.room == BatchSize.maximum - 8)
        #expect(try connection.received().isEmpty)
        connection.setTaking(false)
        connection.loop.run()
        #expect(
            try connection.received() == "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\none two \r\n")
        #expect(response.room == 0 && delegate.blocks == 1 && delegate.rooms == 0)
        // A record that is larger than what there is room for waits, and goes before there is room again.
        Array("three".utf8).withUnsafeBytes { response.write($0) }
        connection.loop.run()
        #expect(try connection.received().isEmpty)
        connection.setTaking(true)
        connection.loop.run()
        #expect(try connection.received() == "5\r\nthree\r\n")
        #expect(response.room == BatchSize.maximum && delegate.rooms == 1)
        response.end()
        response.end()
        response.breakOff()
        connection.loop.run()
        #expect(try connection.received() == "0\r\n\r\n")
        #expect(delegate.finishes == 1 && response.hasEnded)
    }

    /// Decodes the chunks of a response.
    private static func dechunked(_ response: String) -> String {
        var rest = Substring(response.split(separator: "\r\n\r\n", maxSplits: 1)[1]), body = ""
        while let line = rest.firstRange(of: "\r\n"), let size = Int(rest[..<line.lowerBound], radix: 16), size > 0 {
            let chunk = rest[line.upperBound...].utf8.prefix(size)
            body += String(Substring(chunk))
            rest = rest[chunk.endIndex...].dropFirst()
        }
        return body
    }
}
