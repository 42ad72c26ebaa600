import Flow
import NIOCore
import NIOHTTP1
import Observability
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy
@testable import Upstream

@Suite struct StreamRetryTests {
    private static let two = [
        UpstreamAddress(host: "one", port: 1), UpstreamAddress(host: "two", port: 2),
    ]

    private func bench(_ change: (inout RetryRules) -> Void = { _ in }) throws -> StreamBench {
        var rules = RetryRules()
        change(&rules)
        return try StreamBench {
            $0.upstreams = Self.two
            $0.retry = rules
        }
    }

    /// Opens a stream whose request has a body of this length, or a chunked one.
    private func open(
        _ method: HTTPMethod, length: Int? = 5, on bench: StreamBench
    ) throws -> (stream: Proxy.Stream, response: FakeResponse, body: RequestBody) {
        let fields = [length.map { ("Content-Length", "\($0)") } ?? ("Transfer-Encoding", "chunked")]
        let body = RequestBody(of: try Request.of(method, "/", fields), from: FakeBodySource(bench.host))
        let (stream, response) = try bench.open(fields, method: method, body: body)
        return (stream, response, body)
    }

    // MARK: Without a body

    @Test func anotherUpstreamIsTriedBeforeTheHead() throws {
        let bench = try bench()
        let (stream, response) = try bench.open()
        bench.transfer.end(.failed(.unreachable("refused")))
        #expect(bench.host.transfers.count == 2 && Set(bench.host.upstreams).count == 2)
        #expect(bench.tally.retries == 1 && response.status == nil)
        bench.transfer.sendHead()
        bench.transfer.end()
        response.finish()
        let line = try bench.logLine()
        #expect(line["reason"] as? String == "completed" && stream.account.totals.attempts == 2)
    }

    @Test(arguments: [("POST", false), ("GET", true)])
    func noOtherUpstreamIsTriedIfAnEffectCouldOccurTwice(method: String, hasHead: Bool) throws {
        let bench = try bench()
        let (_, response) = try bench.open(method: HTTPMethod(rawValue: method))
        if hasHead { bench.transfer.sendHead() }
        bench.transfer.end(.failed(.reset("reset")))
        #expect(bench.host.transfers.count == 1 && response.hasEnded)
    }

    // MARK: With a body

    @Test(arguments: [HTTPMethod.POST, .PUT]) func aBodyIsSentAgainAndContinues(method: HTTPMethod) throws {
        let bench = try bench { $0.repeatsNonIdempotent = true }
        let (stream, response, body) = try open(method, length: nil, on: bench)
        body.arrived(.init(string: "hel"))
        #expect(try bench.transfer.takesBody() == "hel")
        bench.transfer.end(.failed(.reset("reset")))
        #expect(bench.host.transfers.count == 2)
        body.arrived(.init(string: "lo"))
        body.ended()
        #expect(try bench.transfer.takesBody() == "hello|")
        #expect(stream.upstream.heldBytes >= 5 && bench.host.bufferedBytes == stream.upstream.heldBytes)
        bench.transfer.sendHead()
        #expect(stream.upstream.heldBytes == 0 && bench.host.bufferedBytes == 0)
        bench.transfer.end()
        response.finish()
        #expect(stream.account.totals.attempts == 2 && bench.host.streams.isEmpty)
    }

    @Test func aPostIsSentAgainIfNoUpstreamHasGotIt() throws {
        let bench = try bench()
        let (_, _, body) = try open(.POST, length: 1 << 20, on: bench)
        bench.transfer.wasSent = false
        bench.transfer.end(.failed(.refused("refused")))
        #expect(bench.host.transfers.count == 2)
        body.arrived(.init(string: "hello"))
        #expect(try bench.transfer.takesBody() == "hello")
        bench.transfer.end(.failed(.reset("reset")))
        #expect(bench.host.transfers.count == 2)
    }

    @Test func anotherPostIsNot() throws {
        let bench = try bench()
        let (stream, response, body) = try open(.POST, on: bench)
        body.arrived(.init(string: "hello"))
        body.ended()
        #expect(try bench.transfer.takesBody() == "hello|" && stream.upstream.heldBytes == 0)
        bench.transfer.end(.failed(.reset("reset")))
        #expect(bench.host.transfers.count == 1 && response.status?.code == 502)
    }

    @Test(arguments: [nil, 6]) func aBodyBeyondTheBoundIsNotSentAgain(length: Int?) throws {
        let bench = try bench { $0.maximumBodyBytes = ByteCount(5) }
        let (stream, response, body) = try open(.PUT, length: length, on: bench)
        body.arrived(.init(string: "hello"))
        #expect(try bench.transfer.takesBody() == "hello")
        #expect(stream.upstream.heldBytes == 0 || length == nil)
        body.arrived(.init(string: "!"))
        #expect(try bench.transfer.takesBody().hasPrefix("!") && bench.host.bufferedBytes == 0)
        bench.transfer.end(.failed(.reset("reset")))
        #expect(bench.host.transfers.count == 1 && response.status?.code == 502)
    }

    @Test func nothingIsKeptForASingleUpstream() throws {
        let bench = try StreamBench { $0.retry = RetryRules() }
        let (stream, _, body) = try open(.PUT, on: bench)
        body.arrived(.init(string: "hello"))
        _ = try bench.transfer.takesBody()
        #expect(stream.upstream.heldBytes == 0)
    }

    @Test func aLateFirstRecordHasTheBodySentAgain() throws {
        var rules = RetryRules()
        rules.repeatsNonIdempotent = true
        let bench = try StreamBench {
            ($0.upstreams, $0.retry) = (Self.two, rules)
            $0.timeouts.firstRecord = .seconds(1)
        }
        let (_, response, body) = try open(.POST, on: bench)
        body.arrived(.init(string: "hello"))
        body.ended()
        _ = try bench.transfer.takesBody()
        bench.transfer.sendHead()
        bench.advance(by: .milliseconds(1001))
        #expect(bench.host.transfers.count == 2 && bench.host.transfers[0].isCancelled)
        #expect(try bench.transfer.takesBody() == "hello|")
        bench.transfer.sendHead()
        bench.transfer.send("1\n")
        #expect(response.text == "1\n" && bench.host.bufferedBytes == 0)
    }

    @Test(arguments: [false, true]) func aClientThatDisconnectsEndsTheRetry(isWhole: Bool) throws {
        let bench = try bench()
        let (_, response, body) = try open(.PUT, on: bench)
        body.arrived(.init(string: "hello"))
        if isWhole { body.ended() }
        _ = try bench.transfer.takesBody()
        bench.transfer.end(.failed(.reset("reset")))
        #expect(bench.host.transfers.count == 2 && bench.host.bufferedBytes > 0)
        response.disconnect()
        #expect(bench.transfer.isCancelled && bench.host.bufferedBytes == 0 && bench.host.streams.isEmpty)
        #expect(bench.admission.openRequests == 0 && bench.host.timers.count == 0)
    }

    @Test func aBodyThatFailsAfterTheRetryIsReported() throws {
        let bench = try bench()
        let (_, response, body) = try open(.PUT, on: bench)
        body.arrived(.init(string: "hel"))
        _ = try bench.transfer.takesBody()
        bench.transfer.end(.failed(.reset("reset")))
        body.fail(.malformed)
        #expect(response.status?.code == 400 && bench.transfer.isCancelled && bench.host.bufferedBytes == 0)
    }
}

extension FakeTransfer {
    /// What there is of the request's body, and `|` for its end.
    func takesBody() throws -> String {
        let delegate = try #require(delegate)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
        defer { memory.deallocate() }
        var text = ""
        while true {
            switch delegate.transferBody(into: memory) {
            case .bytes(let count): text += String(decoding: memory[..<count], as: UTF8.self)
            case .end: return text + "|"
            case .nothingYet: return text
            case .brokenOff: return text + "!"
            }
        }
    }
}
