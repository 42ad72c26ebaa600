import Flow
import HTTPText
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import Downstream

@Suite(.timeLimit(.minutes(10))) struct ListenerTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    @Test func answersOverASocket() async throws {
        try await SocketBench.run { bench, listener in
            let address = try await bench.bind(listener)
            #expect(address.port ?? 0 > 0)
            let client = try await SocketClient(address)
            try await client.send(Self.get)
            try await client.state.wait(for: "an answer") { $0.text == Self.ok }
            #expect(listener.connectionCount == 1)
            #expect(bench.handler.requests.first?.peer == "127.0.0.1")
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            try await client.state.wait(for: "the close") { $0.isClosed }
            #expect(client.state.value.text.hasPrefix(Self.ok + "HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func aThousandPipelinedRequestsAreAnsweredInOrder() async throws {
        try await SocketBench.run { bench, listener in
            let address = try await bench.bind(listener)
            bench.handler.onRequest = { $1.answer("\($0.path);") }
            let client = try await SocketClient(address)
            let paths = (0..<1000).map { "/\($0)" }
            try await client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            let state = try await client.state.wait(for: "the last answer") { $0.text.hasSuffix("/999;") }
            let bodies = state.text.split(separator: "\r\n\r\n").dropFirst().compactMap {
                $0.split(separator: ";").first
            }
            #expect(bodies.map(String.init) == paths)
        }
    }

    @Test func theAddressOfAUnixSocketIsEmpty() async throws {
        let path = "/tmp/weir-\(UInt64.random(in: 0 ... .max)).sock"
        try await SocketBench.run { bench, listener in
            let address = try SocketAddress(unixDomainSocketPath: path)
            _ = try await listener.bind(address).get()
            let client = try await SocketClient(address)
            try await client.send(Self.get)
            try await client.state.wait(for: "an answer") { $0.text == Self.ok }
            #expect(bench.handler.requests.first?.peer.isEmpty == true)
        }
    }

    @Test func batchesOfClientsThatTakeTurnsArriveInTheirOrder() async throws {
        try await SocketBench.run { bench, listener in
            let address = try await bench.bind(listener)
            var writers: [any ConnectionResponse] = []
            bench.handler.onRequest = { _, writer in
                // Its first bytes wait for the head, the next ones for nothing, the last ones for the end.
                writer.writeHead(.ok, headers: ["content-length": "2004"], body: .length)
                writer.write("one\n")
                writers.append(writer)
            }
            var clients: [SocketClient] = []
            for _ in 0..<3 {
                let client = try await SocketClient(address)
                try await client.send(Self.get)
                try await client.state.wait(for: "the first line") { $0.text.hasSuffix("one\n") }
                clients.append(client)
            }
            for round in 100..<300 {
                bench.turn {
                    for writer in writers { writer.write("\(round),") }
                    for writer in writers.reversed() { writer.write("then \n") }
                    if round == 299 { for writer in writers { writer.end() } }
                }
            }
            let body = "one\n" + (100..<300).map { "\($0),then \n" }.joined()
            for client in clients {
                let state = try await client.state.wait(for: "the rest") { $0.text.hasSuffix("299,then \n") }
                #expect(state.text.hasSuffix("\r\n\r\n" + body))
                // Nothing remains before the next answer.
                bench.handler.onRequest = { $1.answer("next") }
                try await client.send(Self.get)
                try await client.state.wait(for: "the next answer") { $0.text.hasSuffix("\r\n\r\nnext") }
            }
        }
    }

    // MARK: Clients that do not read

    @Test func aClientThatDoesNotReadHoldsTheWriterUpAndGetsTheRestWhenItReads() async throws {
        let line = String(repeating: "x", count: 99) + "\n", lines = 200_000
        try await SocketBench.run { bench, listener in
            let address = try await bench.bind(listener)
            let delegate = ScriptedDelegate()
            let blocked = Watched(0)
            var left = lines
            bench.handler.onRequest = { _, writer in
                writer.delegate = delegate
                writer.writeHead(.ok, headers: ["content-length": "\(lines * line.utf8.count)"], body: .length)
                let pump = {
                    while left > 0, writer.room > 0 {
                        writer.write(line)
                        left -= 1
                    }
                    if left == 0 { writer.end() }
                }
                delegate.onRoom = pump
                delegate.onBlocked = { blocked.update { $0 += 1 } }
                pump()
            }
            let client = try await SocketClient(address, reads: false)
            try await client.send(Self.get)
            try await blocked.wait(for: "the response to be blocked") { $0 > 0 }
            #expect(left > 0, "not everything fits the sockets' buffers")
            #expect(delegate.finishes == 0)
            try await client.startReading()
            let head = "HTTP/1.1 200 OK\r\ncontent-length: \(lines * line.utf8.count)\r\n\r\n"
            let whole = Array((head + String(repeating: line, count: lines)).utf8)
            let state = try await client.state.wait(for: "the rest") { $0.received.count >= whole.count }
            #expect(state.received == whole)
            #expect(left == 0)
        }
    }

    /// Chunks that were framed before and bytes that are framed here arrive in their order, also if the client does not read.
    @Test(arguments: [false, true]) func chunksThatWereFramedBeforeKeepTheirOrder(reads: Bool) async throws {
        let records = (0..<300).map { "\($0)," + String(repeating: "x", count: $0 % 7 * 5_000) + "\n" }
        try await SocketBench.run { bench, listener in
            let address = try await bench.bind(listener)
            var sent = 0
            bench.handler.onRequest = { _, writer in
                let delegate = ScriptedDelegate()
                writer.delegate = delegate
                writer.writeHead(.ok, headers: [:], body: .unknown)
                let pump = {
                    while sent < records.count, writer.room >= records[sent].utf8.count {
                        var record = records[sent]
                        record.withUTF8 { bytes in
                            let bytes = UnsafeRawBufferPointer(bytes)
                            if sent % 3 == 0 { writer.write(bytes) } else { writer.write(WholeChunk(bytes)) }
                        }
                        sent += 1
                    }
                    if sent == records.count, !writer.hasEnded { writer.end() }
                }
                delegate.onRoom = pump
                pump()
            }
            let client = try await SocketClient(address, reads: reads)
            try await client.send(Self.get)
            if !reads {
                try await client.read(atLeast: 1)
                try await client.startReading()
            }
            let state = try await client.state.wait(for: "the end") {
                $0.received.suffix(7).elementsEqual("\r\n0\r\n\r\n".utf8)
            }
            #expect(Self.content(ofChunks: state.received) == Array(records.joined().utf8))
        }
    }

    /// What a chunked response carries.
    private static func content(ofChunks response: [UInt8]) -> [UInt8] {
        let headEnd = Array("\r\n\r\n".utf8)
        guard var at = response.indices.first(where: { response[$0...].starts(with: headEnd) }) else { return [] }
        at += headEnd.count
        var content: [UInt8] = []
        while let end = response[at...].firstIndex(of: UInt8(ascii: "\r")),
            let size = Int(String(decoding: response[at..<end], as: UTF8.self), radix: 16), size > 0
        {
            content += response[(end + 2)..<(end + 2 + size)]
            at = end + 2 + size + 2
        }
        return content
    }

    /// A client that reads slowly has not stopped: what its kernel acknowledges is the difference.
    @Test(arguments: [false, true]) func whatAClientHasTakenMovesOnlyAsItReads(isUnix: Bool) async throws {
        let body = String(repeating: "x", count: 60_000)
        try await SocketBench.run { bench, listener in
            let path = "/tmp/weir-\(UInt64.random(in: 0 ... .max)).sock"
            let address =
                isUnix
                ? try #require(try await listener.bind(SocketAddress(unixDomainSocketPath: path)).get())
                : try await bench.bind(listener)
            let delegate = ScriptedDelegate()
            let blocked = Watched(0)
            var writer: (any ConnectionResponse)?
            var written = 0
            bench.handler.onRequest = { _, answering in
                writer = answering
                answering.delegate = delegate
                answering.writeHead(.ok, headers: [:], body: .unknown)
                delegate.onRoom = {
                    guard answering.room > 0 else { return }
                    answering.write(body)
                    written += body.utf8.count
                }
                delegate.onBlocked = { blocked.update { $0 += 1 } }
            }
            let client = try await SocketClient(address, reads: false)
            try await client.send(Self.get)
            try await blocked.wait(for: "the response to be blocked") { $0 > 0 }
            let answering = try #require(writer)
            #expect(answering.bytesTaken.bytes < written)
            if !isUnix {
                // What is under way arrives in the client's kernel without a read; then the number is constant.
                var arrived = try await client.arrivedBytes()
                while answering.bytesTaken.bytes != arrived {
                    try await bench.wait(for: "the acknowledgements") { answering.bytesTaken.bytes >= arrived }
                    arrived = try await client.arrivedBytes()
                }
            }
            let before = answering.bytesTaken, held = written
            try await client.read(atLeast: client.state.value.received.count + 100_000)
            try await bench.wait(for: "progress") { answering.bytesTaken > before }
            try await client.read(atLeast: held * 2)
            try await bench.wait(for: "much progress") { answering.bytesTaken.bytes > before.bytes + held / 2 }
            #expect(answering.bytesTaken.bytes <= written + written / 100)
            delegate.onRoom = {}
            bench.turn { answering.end() }
            try await client.close()
            #expect(answering.bytesTaken >= before)
        }
    }

    // MARK: Clients that continue to send

    /// RFC 9112, section 9.6: closing with unread bytes would reset the connection, and the answer with it.
    @Test func anAnswerArrivesAlthoughTheClientIsStillSending() async throws {
        try await SocketBench.run { bench, listener in
            let address = try await bench.bind(listener)
            let body = String(repeating: "b", count: 5_000_000)
            bench.handler.onRequest = { $1.answer("not wanted", status: .payloadTooLarge) }
            let client = try await SocketClient(address)
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
            let state = try await client.state.wait(for: "the close") { $0.isClosed }
            #expect(!state.failed)
            #expect(state.text.hasSuffix("\r\n\r\nnot wanted"))
        }
    }

    /// A body that waits because the answer before it is not taken continues once that is.
    @Test func aBodyAfterALongAnswerIsReadOnceTheAnswerIsTaken() async throws {
        try await SocketBench.run { bench, listener in
            let address = try await bench.bind(listener)
            let long = String(repeating: "l", count: 8 << 20), body = String(repeating: "b", count: 8 << 20)
            bench.handler.onBody = { request, body, writer in
                guard request.hasBody else { return writer.answer(long) }
                body.collect(upTo: .mebibytes(8), within: .seconds(60)) { result in
                    writer.answer("\((try? result.get())?.readableBytes ?? 0) bytes")
                }
            }
            let client = try await SocketClient(address, reads: false)
            try await client.send(Self.get)
            let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            async let sent: Void = client.send(post + body)
            try await client.read(atLeast: 1 << 20)
            #expect(bench.handler.requests.count == 1)
            try await client.startReading()
            try await sent
            try await client.state.wait(for: "the second answer") { $0.text.hasSuffix("\(8 << 20) bytes") }
        }
    }

    @Test func theAnswerToGarbageArrivesAlthoughMoreOfItFollows() async throws {
        try await SocketBench.run { bench, listener in
            let address = try await bench.bind(listener)
            let client = try await SocketClient(address)
            try await client.send("garbage\r\n\r\n" + String(repeating: "more of it\r\n", count: 100_000))
            let state = try await client.state.wait(for: "the close") { $0.isClosed }
            #expect(!state.failed)
            #expect(state.text.hasSuffix("\r\n\r\nmalformed"))
        }
    }

    // MARK: The gate

    private final class Gate: ConnectionGate {
        let open = Watched(0)
        private let limit: Int

        init(limit: Int) { self.limit = limit }

        func enter(_ peer: String) -> Bool {
            #expect(peer == "127.0.0.1")
            var mayEnter = false
            open.update {
                mayEnter = $0 < limit
                if mayEnter { $0 += 1 }
            }
            return mayEnter
        }

        func leave(_ peer: String) { open.update { $0 -= 1 } }
    }

    @Test func theGateRefusesConnectionsBeyondItsLimit() async throws {
        let gate = Gate(limit: 2)
        try await SocketBench.run(gate: gate) { bench, listener in
            let address = try await bench.bind(listener)
            let first = try await SocketClient(address), second = try await SocketClient(address)
            for client in [first, second] {
                try await client.send(Self.get)
                try await client.state.wait(for: "an answer") { $0.text == Self.ok }
            }
            let third = try await SocketClient(address)
            let state = try await third.state.wait(for: "the close") { $0.isClosed }
            #expect(state.received.isEmpty)
            try await first.close()
            try await gate.open.wait(for: "a free place") { $0 == 1 }
            let fourth = try await SocketClient(address)
            try await fourth.send(Self.get)
            try await fourth.state.wait(for: "an answer") { $0.text == Self.ok }
        }
        try await gate.open.wait(for: "all places to be free") { $0 == 0 }
    }

    // MARK: The end

    @Test func aDrainClosesIdleConnectionsAndCompletesAnswers() async throws {
        try await SocketBench.run { bench, listener in
            let address = try await bench.bind(listener)
            var writer: (any ConnectionResponse)?
            let isBusy = Watched(false)
            bench.handler.onRequest = { request, answering in
                guard request.path == "/long" else { return answering.answer("ok") }
                writer = answering
                isBusy.update { $0 = true }
            }
            let idle = try await SocketClient(address), busy = try await SocketClient(address)
            try await idle.send(Self.get)
            try await idle.state.wait(for: "an answer") { $0.text == Self.ok }
            try await busy.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
            try await isBusy.wait(for: "the busy one's request") { $0 }
            listener.drain()
            try await idle.state.wait(for: "the idle one's close") { $0.isClosed }
            #expect(idle.state.value.text == Self.ok)
            await #expect(throws: (any Error).self) { _ = try await SocketClient(address) }
            bench.turn { writer?.answer("ok") }
            let state = try await busy.state.wait(for: "the busy one's close") { $0.isClosed }
            #expect(state.text == "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
        }
    }

    @Test func closingAllLeavesNothing() async throws {
        try await SocketBench.run { bench, listener in
            let address = try await bench.bind(listener)
            let delegate = ScriptedDelegate()
            bench.handler.onRequest = { _, writer in
                writer.delegate = delegate
                writer.writeHead(.ok, headers: [:], body: .unknown)
            }
            let client = try await SocketClient(address)
            try await client.send(Self.get)
            try await client.state.wait(for: "the head") { $0.text.hasSuffix("\r\n\r\n") }
            listener.closeAll()
            try await client.state.wait(for: "the close") { $0.isClosed }
            #expect(delegate.closes == 1)
            #expect(listener.connectionCount == 0)
        }
    }
}
