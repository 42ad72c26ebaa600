import Flow
import NIOHTTP1
import TestSupport
import Testing

@testable import Upstream

/// The ways to wake a loop that this system permits.
private let wakings: [Waking] = AIOWaker.isPermitted() ? [.aio, .thread] : [.thread]

@Suite(.timeLimit(.minutes(10))) struct UpstreamLoopTests {
    /// Answers with the path, and keeps the connection.
    private static let echo: ScriptedOrigin.Script = { path, connection in
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)")
    }

    // MARK: Waking

    @Test(arguments: wakings) func everyWayOfWakingCarriesRequests(waking: Waking) async throws {
        try await withOrigin(waking: waking) { path, connection in
            guard path == "/large" else { return Self.echo(path, connection) }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n")
            connection.pour("line\n", bytes: 5_000_000)
        } test: { bench, origin in
            let large = try bench.request("/large", at: origin.origin)
            large.keepsBody = false
            large.start()
            for round in 0..<20 {
                let exchanges = try (0..<10).map { try bench.request("/\(round)/\($0)", at: origin.origin) }
                for exchange in exchanges { exchange.start() }
                for (index, exchange) in exchanges.enumerated() {
                    try await bench.wait(for: exchange, until: "the end") { $0.end != nil }
                    #expect(exchange.text == "/\(round)/\(index)")
                }
            }
            try await bench.wait(for: large, until: "the end of the large one") { $0.end != nil }
            #expect(large.count == 5_000_000)
        }
    }

    @Test func theBestWayIsChosenWhereNoneIsAskedFor() async throws {
        let expected: Waking = AIOWaker.isPermitted() ? .aio : .thread
        try await Bench.run(waking: .auto) { bench in #expect(bench.waking == expected) }
    }

    @Test(arguments: wakings) func aLoopThatHasStoppedTakesNoRequest(waking: Waking) async throws {
        try await withOrigin(waking: waking, Self.echo) { bench, origin in
            _ = try await bench.response(at: origin.origin)
            bench.stop()
            #expect(throws: SystemError.self) { try bench.request(at: origin.origin) }
        }
    }

    // MARK: Connections

    @Test func aConnectionIsUsedAgain() async throws {
        try await withOrigin(Self.echo) { bench, origin in
            for round in 0..<10 {
                let exchange = try await bench.response(to: "/\(round)", at: origin.origin)
                #expect(exchange.text == "/\(round)")
            }
            #expect(origin.counts.value.accepted == 1)
            #expect(origin.counts.value.requests.count == 10)
        }
    }

    @Test func originsThatAreGoneAreForgotten() async throws {
        try await withOrigin(Self.echo) { bench, origin in
            let gone = (0..<3).map { _ in
                Origin(url: origin.origin.url, connectTimeout: .seconds(5), receiveBuffer: nil)
            }
            for origin in gone + [origin.origin] { _ = try await bench.response(at: origin) }
            #expect(bench.statistics.origins == 4)
            bench.keep([origin.origin])
            #expect(bench.statistics.origins == 1)
            // What was forgotten is at most a connection.
            #expect(try await bench.response(to: "/again", at: gone[0]).text == "/again")
        }
    }

    @Test func requestsThatRunTogetherHaveAConnectionEach() async throws {
        let sign = Watched(false)
        try await withOrigin { path, connection in
            connection.when(sign) { Self.echo(path, $0) }
        } test: { bench, origin in
            let exchanges = try (0..<5).map { try bench.request("/\($0)", at: origin.origin) }
            for exchange in exchanges { exchange.start() }
            try await origin.counts.wait(for: "five requests") { $0.requests.count == 5 }
            #expect(origin.counts.value.accepted == 5)
            #expect(bench.statistics.active == 5)
            #expect(bench.idleConnections(to: origin.origin) == 0)
            sign.update { $0 = true }
            for exchange in exchanges { try await bench.wait(for: exchange, until: "the end") { $0.end != nil } }
            #expect(bench.idleConnections(to: origin.origin) == 5)
            let next = try bench.request(at: origin.origin)
            next.start()
            #expect(bench.idleConnections(to: origin.origin) == 4)
            try await bench.wait(for: next, until: "the end") { $0.end != nil }
            for _ in 0..<10 { _ = try await bench.response(at: origin.origin) }
            #expect(origin.counts.value.accepted == 5)
        }
    }

    @Test func aConnectionThatTheUpstreamClosedWhileIdleIsReplaced() async throws {
        let sign = Watched(false)
        try await withOrigin { path, connection in
            Self.echo(path, connection)
            if path == "/first" { connection.when(sign) { $0.close() } }
        } test: { bench, origin in
            _ = try await bench.response(to: "/first", at: origin.origin)
            sign.update { $0 = true }
            try await origin.counts.wait(for: "the close") { $0.closed == 1 }
            let exchange = try await bench.response(to: "/second", at: origin.origin)
            #expect(exchange.text == "/second")
            #expect(origin.counts.value.accepted == 2)
        }
    }

    /// The race that no client can avoid: the upstream closes an idle connection while a request is on its way to it.
    @Test func aRequestThatMeetsTheCloseIsSentAgain() async throws {
        try await withOrigin { path, connection in
            if connection.requests == 1 { Self.echo(path, connection) } else { connection.close() }
        } test: { bench, origin in
            _ = try await bench.response(to: "/first", at: origin.origin)
            let exchange = try await bench.response(to: "/second", at: origin.origin)
            #expect(exchange.end == .complete)
            #expect(exchange.text == "/second")
            #expect(origin.counts.value.accepted == 2)
        }
    }

    @Test func aConnectionThatTheUpstreamWantsClosedIsNotUsedAgain() async throws {
        try await withOrigin { path, connection in
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        } test: { bench, origin in
            for _ in 0..<3 { #expect(try await bench.response(at: origin.origin).text == "ok") }
            #expect(origin.counts.value.accepted == 3)
            try await origin.counts.wait(for: "the closes") { $0.closed == 3 }
            #expect(bench.idleConnections(to: origin.origin) == 0)
        }
    }

    /// An unsolicited response must not become the answer to the next request (RFC 9112, section 9.2).
    @Test(arguments: [true, false])
    func aResponseWithoutARequestIsNoAnswer(atOnce: Bool) async throws {
        let sign = Watched(false)
        let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
        try await withOrigin { path, connection in
            guard path == "/first" else { return Self.echo(path, connection) }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\(path)" + (atOnce ? forged : ""))
            if !atOnce { connection.when(sign) { $0.send(forged) } }
        } test: { bench, origin in
            let first = try await bench.response(to: "/first", at: origin.origin)
            #expect(first.text == "/first")
            sign.update { $0 = true }
            try await origin.counts.wait(for: "the forged response") { $0.sent > 80 }
            let second = try await bench.response(to: "/second", at: origin.origin)
            #expect(second.text == "/second")
            #expect(origin.counts.value.accepted == 2)
        }
    }

    @Test func twoOriginsShareNoConnection() async throws {
        try await ScriptedOrigin.run { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother")
        } _: { second in
            try await withOrigin(Self.echo) { bench, first in
                for _ in 0..<3 {
                    let one = try await bench.response(to: "/", at: first.origin)
                    let other = try await bench.response(to: "/", at: second.origin)
                    #expect(one.text == "/" && other.text == "other")
                }
                #expect(first.counts.value.accepted == 1)
                #expect(second.counts.value.accepted == 1)
            }
        }
    }

    @Test func stoppingClosesIdleConnections() async throws {
        try await ScriptedOrigin.run(Self.echo) { origin in
            try await Bench.run { bench in _ = try await bench.response(at: origin.origin) }
            try await origin.counts.wait(for: "the close") { $0.open == 0 }
        }
    }

    // MARK: Many

    @Test(arguments: wakings) func manyTransfersRunAtOnce(waking: Waking) async throws {
        let sign = Watched(false)
        try await withOrigin(waking: waking) { path, connection in
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            connection.when(sign) { $0.send("5\r\n" + path.suffix(5) + "\r\n0\r\n\r\n") }
        } test: { bench, origin in
            let exchanges = try (0..<300).map { try bench.request("/\(10_000 + $0)", at: origin.origin) }
            for exchange in exchanges { exchange.start() }
            for exchange in exchanges { try await bench.wait(for: exchange, until: "a byte") { $0.count == 1 } }
            #expect(bench.statistics.active == 300)
            #expect(bench.statistics.handles == 1)
            sign.update { $0 = true }
            for (index, exchange) in exchanges.enumerated() {
                try await bench.wait(for: exchange, until: "the end") { $0.end != nil }
                #expect(exchange.text == "a\(10_000 + index)")
                #expect(exchange.end == .complete)
            }
            #expect(bench.statistics.active == 0)
        }
    }

    @Test func aFullHandleIsFollowedByAnother() async throws {
        let sign = Watched(false)
        try await withOrigin { path, connection in
            connection.when(sign) { Self.echo(path, $0) }
        } test: { bench, origin in
            var exchanges: [Exchange] = []
            for _ in 0..<520 {
                let exchange = try bench.request(at: origin.origin)
                exchange.start()
                exchanges.append(exchange)
            }
            #expect(bench.statistics.active == 520 && bench.statistics.handles == 2)
            sign.update { $0 = true }
            for exchange in exchanges { try await bench.wait(for: exchange, until: "the end") { $0.end != nil } }
            #expect(exchanges.allSatisfy { $0.end == .complete && $0.text == "/" })
        }
    }

    // MARK: Fairness

    @Test func aBulkTransferTakesItsShareOfATurnAndNoMore() async throws {
        let bytes = 8_000_000
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(bytes)\r\n\r\n")
            connection.pour("line\n", bytes: bytes)
        } test: { bench, origin in
            let bulk = try bench.request(at: origin.origin)
            bulk.keepsBody = false
            var turn = bench.turn, inTurn = 0, most = 0
            bulk.onBytes = { count in
                if turn != bench.turn { (turn, inTurn) = (bench.turn, 0) }
                inTurn += count
                most = max(most, inTurn)
            }
            bulk.start()
            try await bench.wait(for: bulk, until: "the end") { $0.end != nil }
            #expect(bulk.count == bytes)
            // The read that reaches the budget is still taken whole.
            #expect(most < TurnBudget.bytes + (64 << 10))
        }
    }

    @Test(arguments: wakings) func endlessBulkTransfersDoNotHoldOthersUp(waking: Waking) async throws {
        try await withOrigin(waking: waking) { path, connection in
            guard path == "/bulk" else { return Self.echo(path, connection) }
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            connection.pour("line\n", bytes: .max / 2)
        } test: { bench, origin in
            let bulks = try (0..<4).map { _ in try bench.request("/bulk", at: origin.origin) }
            for bulk in bulks {
                bulk.keepsBody = false
                bulk.start()
            }
            for bulk in bulks { try await bench.wait(for: bulk, until: "bytes") { $0.count > 1_000_000 } }
            for round in 0..<20 {
                let exchange = try await bench.response(to: "/\(round)", at: origin.origin)
                #expect(exchange.text == "/\(round)")
            }
            let counts = bulks.map(\.count)
            for (bulk, count) in zip(bulks, counts) {
                try await bench.wait(for: bulk, until: "bytes for each of them") { $0.count > count + 1_000_000 }
            }
            for bulk in bulks { bulk.transfer?.cancel() }
        }
    }
}
