import Flow
import NIOHTTP1
import TestSupport
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(10))) struct TransferTests {
    // MARK: Whole responses

    @Test func aResponseOfKnownLengthArrivesWhole() async throws {
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello")
        } test: { bench, origin in
            let exchange = try await bench.response(at: origin.origin)
            #expect(exchange.head?.status == 200)
            #expect(exchange.head?.reason == "Fine")
            #expect(exchange.head?.headers == ["Content-Length": "5", "X-A": "b"])
            #expect(exchange.head?.contentLength == 5)
            #expect(exchange.text == "hello")
            #expect(exchange.end == .complete)
            #expect(bench.statistics.active == 0)
        }
    }

    @Test func aChunkedResponseArrivesWithoutItsCodingAndWithItsTrailers() async throws {
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n")
            connection.send("6\r\n world\r\n0\r\nX-Trailer: a\r\nX-Other:b \r\n\r\n")
        } test: { bench, origin in
            let exchange = try await bench.response(at: origin.origin)
            #expect(exchange.head?.isChunked == true)
            #expect(exchange.text == "hello world")
            #expect(exchange.trailers == ["X-Trailer": "a", "X-Other": "b"])
            #expect(exchange.end == .complete)
            // The next response has none of them.
            #expect(try await bench.response(at: origin.origin).trailers.count == 2)
        }
    }

    @Test(arguments: ["no colon", " folded: a", "X-A : b", "X-A: b\u{1}"])
    func malformedTrailersMakeTheResponseMalformed(line: String) async throws {
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: a\r\n")
            connection.send("\(line)\r\n\r\n")
        } test: { bench, origin in
            let exchange = try await bench.response(at: origin.origin)
            // libcurl itself rejects a line without a colon, with a less exact error.
            if line == "no colon", case .failed(.reset) = exchange.end { return }
            guard case .failed(.malformed) = exchange.end else {
                Issue.record("\(String(describing: exchange.end))")
                return
            }
            #expect(exchange.trailers.isEmpty)
        }
    }

    @Test func aResponseThatEndsWithItsConnectionArrivesWhole() async throws {
        try await withOrigin { _, connection in
            connection.send("HTTP/1.0 200 OK\r\n\r\nuntil the end")
            connection.close()
        } test: { bench, origin in
            let exchange = try await bench.response(at: origin.origin)
            #expect(exchange.head?.isDelimitedByClose(method: .GET) == true)
            #expect(exchange.text == "until the end")
            #expect(exchange.end == .complete)
        }
    }

    @Test(arguments: [
        (HTTPMethod.HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 2),
        (.HEAD, "HTTP/1.1 200 OK\r\n\r\n", 2), (.HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1),
        (.GET, "HTTP/1.1 204 No Content\r\n\r\n", 1), (.GET, "HTTP/1.1 304 Not Modified\r\n\r\n", 1),
        (.GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 2),
        (.GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1),
    ]) func aResponseWithoutABodyIsCompleteWithItsHead(method: HTTPMethod, head: String, connections: Int) async throws
    {
        try await withOrigin { _, connection in
            connection.send(head)
        } test: { bench, origin in
            for _ in 0..<2 {
                let exchange = try await bench.response(method: method, at: origin.origin)
                #expect(exchange.head != nil)
                #expect(exchange.count == 0)
                #expect(exchange.end == .complete)
            }
            #expect(origin.counts.value.accepted == connections, "used again only if the head announces no content")
        }
    }

    /// The options of one request are those of the next: its connection alone is not used again.
    @Test func afterAConnectionThatIsClosedTheNextOneIsUsedAgain() async throws {
        try await withOrigin { path, connection in
            connection.send("HTTP/1.1 304 Not Modified\r\n\(path == "/closes" ? "Content-Length: 5\r\n" : "")\r\n")
        } test: { bench, origin in
            for path in ["/", "/closes", "/", "/", "/closes", "/", "/"] {
                let exchange = try await bench.response(to: path, at: origin.origin)
                #expect(exchange.end == .complete)
            }
            #expect(origin.counts.value.accepted == 3)
        }
    }

    @Test func informationalHeadsExcept100AreReported() async throws {
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        } test: { bench, origin in
            let exchange = try await bench.response(at: origin.origin)
            #expect(exchange.head?.status == 200)
            #expect(exchange.head?.headers == ["Content-Length": "2"])
            #expect(exchange.interim.map(\.status) == [103])
            #expect(exchange.interim.first?.headers == ["Link": "</a>"])
            #expect(exchange.text == "ok")
        }
    }

    @Test func aCodedBodyIsNotDecoded() async throws {
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip")
        } test: { bench, origin in
            let exchange = try await bench.response(at: origin.origin)
            #expect(exchange.text == "not gzip")
            #expect(exchange.end == .complete)
        }
    }

    // MARK: Responses that are none

    @Test func withoutAListenerTheUpstreamIsUnreachable() async throws {
        let origin = try await ScriptedOrigin.unreachable()
        try await Bench.run { bench in
            let exchange = try await bench.response(at: origin)
            guard case .failed(.refused) = exchange.end else {
                Issue.record("\(String(describing: exchange.end))")
                return
            }
            #expect(exchange.head == nil)
            #expect(bench.statistics.active == 0)
        }
    }

    @Test func anAddressThatDoesNotAnswerRunsIntoTheConnectTimeout() async throws {
        let listener = try DeafListener()
        let origin = Origin(
            url: "http://127.0.0.1:\(listener.port)", connectTimeout: .milliseconds(100), receiveBuffer: nil)
        try await Bench.run { bench in
            let exchange = try await bench.response(at: origin)
            #expect(exchange.end == .failed(.connectTimeout))
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nBad Name: a\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: " + String(repeating: "x", count: 70_000) + "\r\n\r\n",
    ]) func aMalformedResponseIsRefusedAndItsConnectionClosed(response: String) async throws {
        try await withOrigin { _, connection in
            connection.send(response)
        } test: { bench, origin in
            let exchange = try await bench.response(at: origin.origin)
            guard case .failed(.malformed) = exchange.end else {
                Issue.record("\(String(describing: exchange.end))")
                return
            }
            #expect(exchange.head == nil)
            try await origin.counts.wait(for: "the connection's close") { $0.closed == 1 }
        }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nA: ", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n5",
    ]) func aResponseThatBreaksOffHasFailed(response: String) async throws {
        try await withOrigin { _, connection in
            connection.send(response)
            connection.close()
        } test: { bench, origin in
            let exchange = try await bench.response(at: origin.origin)
            guard case .failed(.truncated) = exchange.end else {
                Issue.record("\(String(describing: exchange.end))")
                return
            }
            #expect(exchange.text == (response.contains("half") ? "half" : ""), "what arrived was passed on")
        }
    }

    @Test(arguments: ["xyz\r\nabc", "-1\r\nabc", "3\r\nabcd\r\n0\r\n\r\n", "fffffffffffffffffffff\r\nabc"])
    func aMalformedChunkFailsTheTransfer(chunks: String) async throws {
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        } test: { bench, origin in
            let exchange = try await bench.response(at: origin.origin)
            guard case .failed = exchange.end else {
                Issue.record("\(String(describing: exchange.end))")
                return
            }
            try await origin.counts.wait(for: "the connection's close") { $0.closed == 1 }
        }
    }

    @Test func aResetInTheMiddleIsReported() async throws {
        let sign = Watched(false)
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            connection.when(sign) { $0.reset() }
        } test: { bench, origin in
            let exchange = try bench.request(at: origin.origin)
            exchange.start()
            try await bench.wait(for: exchange, until: "bytes") { $0.count == 4 }
            sign.update { $0 = true }
            try await bench.wait(for: exchange, until: "the end") { $0.end != nil }
            guard case .failed(.reset) = exchange.end else {
                Issue.record("\(String(describing: exchange.end))")
                return
            }
        }
    }

    // MARK: Giving up

    @Test func cancellingClosesTheConnectionAndReportsNothingMore() async throws {
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            connection.pour("line\n", bytes: .max / 2)
        } test: { bench, origin in
            let exchange = try bench.request(at: origin.origin)
            exchange.keepsBody = false
            exchange.start()
            try await bench.wait(for: exchange, until: "bytes") { $0.count > 0 }
            exchange.transfer?.cancel()
            exchange.transfer?.cancel()
            let count = exchange.count
            try await origin.counts.wait(for: "the connection's close") { $0.closed == 1 }
            #expect(exchange.count == count)
            #expect(exchange.end == nil)
            #expect(bench.statistics.active == 0)
        }
    }

    @Test(arguments: [true, false]) func cancellingInTheMiddleOfACallIsAllowed(inHead: Bool) async throws {
        try await withOrigin { path, connection in
            guard path == "/" else { return connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            connection.pour("line\n", bytes: .max / 2)
        } test: { bench, origin in
            let exchange = try bench.request(at: origin.origin)
            if inHead {
                exchange.onHead = { exchange.transfer?.cancel() }
            } else {
                exchange.onBytes = { _ in exchange.transfer?.cancel() }
            }
            exchange.start()
            try await origin.counts.wait(for: "the connection's close") { $0.closed == 1 }
            #expect(exchange.end == nil)
            #expect((exchange.count == 0) == inHead)
            #expect(bench.statistics.active == 0)
            exchange.onHead = {}
            exchange.onBytes = { _ in }
            #expect(try await bench.response(to: "/next", at: origin.origin).text == "ok")
        }
    }

    @Test func cancellingBeforeTheStartSendsNothing() async throws {
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        } test: { bench, origin in
            let exchange = try bench.request("/never", at: origin.origin)
            exchange.transfer?.cancel()
            exchange.start()
            #expect(try await bench.response(to: "/second", at: origin.origin).text == "ok")
            #expect(origin.counts.value.requests.count == 1)
            #expect(exchange.end == nil && exchange.head == nil)
        }
    }

    @Test func anEndMayStartTheNextRequest() async throws {
        try await withOrigin { path, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)")
        } test: { bench, origin in
            let second = try bench.request("/second", at: origin.origin)
            let first = try bench.request("/first", at: origin.origin)
            first.onEnd = { second.start() }
            first.start()
            try await bench.wait(for: second, until: "the second's end") { $0.end != nil }
            #expect(first.text == "/first" && second.text == "/second")
        }
    }
}
