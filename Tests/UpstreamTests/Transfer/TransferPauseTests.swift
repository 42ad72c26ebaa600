import Flow
import TestSupport
import Testing

@testable import Upstream

/// Backpressure: a paused transfer passes on nothing and loses nothing.
@Suite(.timeLimit(.minutes(10))) struct TransferPauseTests {
    private static let line = "0123456789abcdef0123456789abcdef\n"

    private static func firehose(_ bytes: Int) -> ScriptedOrigin.Script {
        { path, connection in
            guard path == "/" else { return connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(bytes)\r\n\r\n")
            connection.pour(line, bytes: bytes)
        }
    }

    /// Whether a body is the firehose's, with nothing lost or doubled.
    private func isWhole(_ body: [UInt8]) -> Bool {
        let line = Array(Self.line.utf8)
        return stride(from: 0, to: body.count, by: line.count).allSatisfy {
            body[$0..<min($0 + line.count, body.count)].elementsEqual(line.prefix(body.count - $0))
        }
    }

    /// A transfer that is paused at each piece of its body, and has received the first.
    private func pausing(at bench: isolated Bench, _ origin: ScriptedOrigin) async throws -> Exchange {
        let exchange = try bench.request(at: origin.origin)
        exchange.keepsBody = false
        exchange.onBytes = { _ in exchange.transfer?.pause() }
        exchange.start()
        try await bench.wait(for: exchange, until: "bytes") { $0.count > 0 }
        return exchange
    }

    /// A transfer that was paused at its first bytes while its upstream sent the rest at the sign and closed, and then read to
    /// its end.
    private func paused(
        at first: Int, until sign: Watched<Bool>, _ bench: isolated Bench, _ origin: ScriptedOrigin
    ) async throws -> Exchange {
        let exchange = try await pausing(at: bench, origin)
        #expect(exchange.count == first)
        sign.update { $0 = true }
        try await origin.counts.wait(for: "the close") { $0.closed == 1 }
        #expect(try await bench.response(to: "/other", at: origin.origin).text == "ok")
        #expect(exchange.count == first && exchange.end == nil)
        exchange.onBytes = { _ in }
        exchange.transfer?.resume()
        try await bench.wait(for: exchange, until: "the end") { $0.end != nil }
        return exchange
    }

    @Test func aPauseHoldsAndAResumeLosesNothing() async throws {
        // In whole lines of no whole read, so that pieces of all sizes are held.
        let bytes = 3_300_033
        try await withOrigin(receiveBuffer: .kibibytes(64), Self.firehose(bytes)) { bench, origin in
            let exchange = try bench.request(at: origin.origin)
            exchange.onBytes = { _ in if exchange.count < 100_000 { exchange.transfer?.pause() } }
            exchange.start()
            try await bench.wait(for: exchange, until: "bytes") { $0.count > 0 }
            let count = exchange.count
            // Ten other requests come and go over the same loop, and the firehose stays paused.
            for _ in 0..<10 { #expect(try await bench.response(to: "/other", at: origin.origin).text == "ok") }
            #expect(exchange.count == count)
            #expect(exchange.end == nil)
            exchange.onBytes = { _ in }
            exchange.transfer?.resume()
            try await bench.wait(for: exchange, until: "the end") { $0.end != nil }
            #expect(exchange.end == .complete)
            #expect(exchange.count == bytes)
            #expect(isWhole(exchange.body))
        }
    }

    /// An origin is not read further than the socket's buffers reach.
    @Test func aPausedUpstreamIsNotReadAhead() async throws {
        try await withOrigin(receiveBuffer: .kibibytes(64), Self.firehose(1 << 56)) { bench, origin in
            let exchange = try await pausing(at: bench, origin)
            #expect(exchange.count <= 64 << 10, "one read")
            // Each resume lets one read through, however often the firehose could have sent more in between.
            for round in 2...20 {
                let count = exchange.count
                exchange.transfer?.resume()
                try await bench.wait(for: exchange, until: "more bytes") { $0.count > count }
                #expect(exchange.count <= round * (64 << 10))
            }
            exchange.transfer?.cancel()
        }
    }

    @Test func aResumePassesOnNothingBeforeItReturns() async throws {
        try await withOrigin(receiveBuffer: .kibibytes(64), Self.firehose(1 << 56)) { bench, origin in
            let exchange = try await pausing(at: bench, origin)
            // Neither outside of a turn of the loop, nor within one at the time of writing to clients.
            for round in 1...20 {
                let count = exchange.count
                var countAfter: Int?
                let resume = {
                    exchange.transfer?.resume()
                    if countAfter == nil { countAfter = exchange.count }
                }
                if round.isMultiple(of: 2) {
                    resume()
                } else {
                    bench.onHandedOver { if countAfter == nil { resume() } }
                    _ = try await bench.response(to: "/other", at: origin.origin)
                }
                #expect(countAfter == count)
                try await bench.wait(for: exchange, until: "more bytes") { $0.count > count }
            }
            bench.onHandedOver {}
            exchange.transfer?.cancel()
        }
    }

    @Test func pausingAndResumingAtEveryPieceLosesNothing() async throws {
        let bytes = 1_000_000
        try await withOrigin(receiveBuffer: .kibibytes(64), Self.firehose(bytes)) { bench, origin in
            let exchange = try bench.request(at: origin.origin)
            exchange.onBytes = { _ in exchange.transfer?.pause() }
            exchange.start()
            var count = 0
            while exchange.end == nil {
                try await bench.wait(for: exchange, until: "more bytes or the end") { [count] in
                    $0.count > count || $0.end != nil
                }
                count = exchange.count
                exchange.transfer?.resume()
            }
            #expect(exchange.end == .complete)
            #expect(exchange.count == bytes)
            #expect(isWhole(exchange.body))
        }
    }

    @Test func pausingAndResumingInTheMiddleOfACallIsAllowed() async throws {
        let bytes = 1_000_000
        try await withOrigin(Self.firehose(bytes)) { bench, origin in
            let exchange = try bench.request(at: origin.origin)
            exchange.onBytes = { _ in
                exchange.transfer?.pause()
                exchange.transfer?.pause()
                exchange.transfer?.resume()
            }
            exchange.start()
            try await bench.wait(for: exchange, until: "the end") { $0.end != nil }
            #expect(exchange.count == bytes)
            #expect(isWhole(exchange.body))
        }
    }

    @Test func aTransferMayBePausedBeforeItStarts() async throws {
        try await withOrigin(Self.firehose(100_000)) { bench, origin in
            let exchange = try bench.request(at: origin.origin)
            exchange.transfer?.pause()
            exchange.start()
            try await bench.wait(for: exchange, until: "the head") { $0.head != nil }
            for _ in 0..<5 { #expect(try await bench.response(to: "/other", at: origin.origin).text == "ok") }
            #expect(exchange.count == 0)
            exchange.transfer?.resume()
            try await bench.wait(for: exchange, until: "the end") { $0.end != nil }
            #expect(exchange.count == 100_000)
        }
    }

    @Test func resumingWhatIsNotPausedDoesNothing() async throws {
        try await withOrigin(Self.firehose(100_000)) { bench, origin in
            let exchange = try bench.request(at: origin.origin)
            exchange.transfer?.resume()
            exchange.start()
            exchange.transfer?.resume()
            try await bench.wait(for: exchange, until: "the end") { $0.end != nil }
            #expect(exchange.count == 100_000)
        }
    }

    @Test func anUpstreamThatEndsWhileItIsPausedIsReadToItsEnd() async throws {
        let sign = Watched(false)
        try await withOrigin { path, connection in
            guard path == "/" else { return connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
            connection.send("HTTP/1.0 200 OK\r\n\r\nfirst ")
            connection.when(sign) {
                $0.send(String(repeating: "x", count: 30_000))
                $0.close()
            }
        } test: { bench, origin in
            let exchange = try await paused(at: 6, until: sign, bench, origin)
            #expect(exchange.end == .complete)
            #expect(exchange.count == 30_006)
        }
    }

    /// What the kernel has received before the reset is read, as it would be without the pause.
    @Test(arguments: [true, false]) func aResetWhilePausedIsReportedAfterWhatArrivedBeforeIt(isComplete: Bool)
        async throws
    {
        let sign = Watched(false)
        let chunk = "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"
        let rest = String(repeating: chunk, count: 100) + (isComplete ? "0\r\n\r\n" : "")
        try await withOrigin { path, connection in
            guard path == "/" else { return connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
            connection.when(sign) {
                $0.send(rest)
                $0.reset()
            }
        } test: { bench, origin in
            let exchange = try await paused(at: 1024, until: sign, bench, origin)
            #expect(exchange.count == 101 * 1024)
            if isComplete {
                #expect(exchange.end == .complete)
            } else if case .failed(.reset) = exchange.end {
            } else {
                Issue.record("\(String(describing: exchange.end))")
            }
            #expect(bench.statistics.active == 0)
        }
    }

    @Test func cancellingAPausedTransferClosesItsConnection() async throws {
        try await withOrigin(receiveBuffer: .kibibytes(64), Self.firehose(1 << 56)) { bench, origin in
            let exchange = try await pausing(at: bench, origin)
            #expect(try await bench.response(to: "/other", at: origin.origin).text == "ok")
            exchange.transfer?.cancel()
            try await origin.counts.wait(for: "the close") { $0.closed == 1 }
            // The next response is not that of the paused transfer.
            for _ in 0..<3 { #expect(try await bench.response(to: "/other", at: origin.origin).text == "ok") }
        }
    }
}
