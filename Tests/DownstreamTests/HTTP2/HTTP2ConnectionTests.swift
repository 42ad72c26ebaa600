import Flow
import NIOCore
import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct HTTP2ConnectionTests {
    private let client: EmbeddedHTTP2
    private let delegate = ScriptedDelegate()

    init() throws { client = try EmbeddedHTTP2() }

    /// Has a request answered by the test.
    private func answering(
        _ request: TestFrame = EmbeddedHTTP2.request(), body: ResponseBodyLength? = .unknown
    ) throws -> any ConnectionResponse {
        var response: (any ConnectionResponse)?
        client.handler.onRequest = { [delegate] in
            $1.delegate = delegate
            if let body { $1.writeHead(.ok, headers: [:], body: body) }
            response = $1
        }
        try client.begin()
        try client.send(request)
        return try #require(response)
    }

    // MARK: Requests

    @Test func itsSettingsComeFirstWithItsLimits() throws {
        let limited = try EmbeddedHTTP2(maximumStreams: 7, limits: .init(maximumHeaderBytes: .kibibytes(8)))
        let settings = try #require(try limited.begin().first)
        #expect(settings.kind == .settings)
        let entries = stride(from: 0, to: settings.payload.count, by: 6).map { Array(settings.payload[$0..<($0 + 6)]) }
        #expect(entries.contains([0, 3, 0, 0, 0, 7]))
        #expect(entries.contains([0, 6, 0, 0, 0x20, 0]))
    }

    @Test func aRequestIsAnswered() throws {
        try client.begin()
        try client.send(EmbeddedHTTP2.request(path: "/a?b"))
        let frames = try client.frames(of: 1)
        #expect(client.handler.requests.map(\.head.uri) == ["/a?b"])
        #expect(client.handler.requests.first?.peer == "192.0.2.1")
        #expect(frames.map(\.kind) == [.headers, .data])
        #expect(client.fields(frames[0].payload) == [":status": "200", "content-length": "2"])
        #expect(frames[1].text == "ok" && frames[1].endsStream)
    }

    @Test func anInputIsReadInAnySplit() throws {
        let frames = [
            EmbeddedHTTP2.request(method: "POST", path: "/p", ends: false), EmbeddedHTTP2.data("one"),
            EmbeddedHTTP2.data("two"),
            TestFrame(kind: .headers, flags: 5, stream: 1, payload: TestFrame.block([("x-sum", "1")])),
        ]
        let bytes = EmbeddedHTTP2.preface + TestFrame(kind: .settings).bytes + frames.flatMap(\.bytes)
        for cut in 1..<bytes.count {
            let client = try EmbeddedHTTP2()
            var bodies: [String] = []
            client.handler.onBody = { _, body, writer in
                body.collect(upTo: .kibibytes(1), within: .seconds(1)) { result in
                    if let bytes = try? result.get() { bodies.append(String(buffer: bytes) + "\(body.trailers)") }
                    writer.answer("ok")
                }
            }
            try client.send(bytes: Array(bytes[..<cut]))
            try client.send(bytes: Array(bytes[cut...]))
            #expect(bodies == ["onetwo\(HTTPHeaders([("x-sum", "1")]))"])
            #expect(try client.frames(of: 1).last?.endsStream == true)
        }
    }

    @Test func aHeadOverTheLimitIsAnsweredAndOtherStreamsContinue() throws {
        try client.begin()
        let large = (0..<40).map { ("x-\($0)", String(repeating: "v", count: 1000)) }
        let block = EmbeddedHTTP2.request(1, large).payload
        try client.send(
            TestFrame(kind: .headers, flags: 1, stream: 1, payload: Array(block[..<16384])),
            TestFrame(kind: .continuation, stream: 1, payload: Array(block[16384..<32768])),
            TestFrame(kind: .continuation, flags: 4, stream: 1, payload: Array(block[32768...])),
            EmbeddedHTTP2.request(3))
        #expect(client.handler.faults == [.headTooLarge] && client.handler.requests.count == 1)
        let frames = try client.frames()
        #expect(
            client.fields(frames.first { $0.kind == .headers && $0.stream == 1 }?.payload ?? [])[":status"] == "400")
        #expect(frames.contains { $0.stream == 3 && $0.endsStream })
        #expect(client.connection.isOpen)
    }

    @Test func requestsBeyondTheLimitAreRefusedAlone() throws {
        let client = try EmbeddedHTTP2(maximumStreams: 2)
        client.handler.onRequest = { _, _ in }
        try client.send(
            bytes: EmbeddedHTTP2.preface + TestFrame(kind: .settings).bytes
                + [1, 3, 5, 7].flatMap { EmbeddedHTTP2.request($0).bytes })
        let resets = try client.frames().filter { $0.kind == .reset }
        #expect(resets.map(\.stream) == [5, 7] && resets.allSatisfy { $0.number == 7 })
        #expect(client.handler.requests.count == 2)
    }

    @Test(arguments: ["a\u{01}", "a\u{7F}", " a", "a\r"]) func aValueThatHTTPDoesNotHaveResetsTheStream(value: String)
        throws
    {
        try client.begin()
        try client.send(EmbeddedHTTP2.request(1, [("x", value)]), EmbeddedHTTP2.request(3))
        let frames = try client.frames()
        #expect(frames.first { $0.stream == 1 } == EmbeddedHTTP2.reset(1, 1))
        #expect(client.handler.requests.count == 1)
    }

    @Test func whatIsMalformedInWholeIsAnswered() throws {
        try client.begin()
        try client.send(EmbeddedHTTP2.request(1, [("host", "b")]))
        #expect(client.handler.faults == [.malformed])
        #expect(try client.frames(of: 1).last?.endsStream == true)
    }

    /// RFC 9110, section 9.3.2: content there would be an error of the stream for clients such as libnghttp2.
    @Test(arguments: [("host", "b"), ("x", String(repeating: "x", count: 16000))])
    func aRejectedHeadRequestGetsNoContent(name: String, value: String) throws {
        let client = try EmbeddedHTTP2(limits: .init(maximumHeaderBytes: .kibibytes(8)))
        try client.begin()
        try client.send(EmbeddedHTTP2.request(1, [(name, value)], method: "HEAD"))
        #expect(client.handler.faults.count == 1)
        let frames = try client.frames(of: 1)
        #expect(frames.map(\.kind) == [.headers] && frames.last?.endsStream == true)
    }

    /// A request that its client has cancelled before it was passed on causes no work.
    @Test func aRequestThatIsResetInTheSameFlightIsNotHandedOn() throws {
        try client.begin()
        try client.send(EmbeddedHTTP2.request(1), EmbeddedHTTP2.reset(1), EmbeddedHTTP2.request(3))
        #expect(client.handler.requests.count == 1)
        #expect(try client.frames(of: 1).isEmpty)
    }

    // MARK: Request bodies

    @Test func theWindowOfABodyThatIsNotTakenStaysClosedAndTheConnectionsOpens() throws {
        final class Taker: RequestBodyDelegate {
            func bodyArrived() {}
            func bodyFailed(_ failure: RequestBody.Failure) {}
        }
        let taker = Taker()
        var streamed: RequestBody?
        client.handler.onBody = { _, body, _ in
            streamed = body
            body.stream(to: taker, upTo: nil, idle: nil)
        }
        try client.begin()
        try client.send(EmbeddedHTTP2.request(method: "POST", ends: false))
        let half = String(repeating: "b", count: 16_000)
        for _ in 0..<5 { try client.send(EmbeddedHTTP2.data(half)) }
        #expect(try client.frames().contains { $0.kind == .windowUpdate && $0.stream == 0 })
        for _ in 0..<2 { try client.send(EmbeddedHTTP2.data(half)) }
        let updates = try client.frames().filter { $0.kind == .windowUpdate }
        #expect(updates.contains { $0.stream == 0 } && !updates.contains { $0.stream == 1 })
        let body = try #require(streamed)
        var taken = 0
        withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 1) { buffer in
            while let count = body.take(into: buffer), count > 0 { taken += count }
        }
        client.connection.turn()
        #expect(taken > 64_000)
        #expect(try client.frames().contains { $0.kind == .windowUpdate && $0.stream == 1 })
    }

    @Test func aResponseThatEndsBeforeItsRequestIsFollowedByAReset() throws {
        try client.begin()
        try client.send(EmbeddedHTTP2.request(method: "POST", ends: false))
        let frames = try client.frames(of: 1)
        #expect(frames.map(\.kind) == [.headers, .data, .reset])
        #expect(frames[1].endsStream && frames[2].number == 0)
    }

    // MARK: Responses

    @Test func headsWithoutBodiesEndTheStream() throws {
        client.handler.onRequest = { _, writer in
            writer.writeInterim(.init(statusCode: 103), headers: ["link": "</a>"])
            writer.writeHead(.ok, headers: ["Content-Length": "5"], body: .none)
            writer.end()
        }
        try client.begin()
        try client.send(EmbeddedHTTP2.request(method: "HEAD"))
        let frames = try client.frames(of: 1)
        #expect(frames.map(\.kind) == [.headers, .headers] && frames.map(\.endsStream) == [false, true])
        #expect(client.fields(frames[0].payload) == [":status": "103", "link": "</a>"])
        #expect(client.fields(frames[1].payload) == [":status": "200", "content-length": "5"])
    }

    @Test func aHeadLargerThanAFrameIsContinued() throws {
        let response = try answering(body: nil)
        let large = (0..<40).map { ("X-\($0)", String(repeating: "ü", count: 500)) }
        client.connection.turn {
            response.writeHead(.ok, headers: HTTPHeaders(large), body: .none)
            response.end()
        }
        let frames = try client.frames(of: 1)
        #expect(frames[0].kind == .headers && frames.dropFirst().allSatisfy { $0.kind == .continuation })
        #expect(frames.count > 1)
        #expect(client.fields(frames.flatMap(\.payload)).count == 41)
        #expect(delegate.finishes == 1)
    }

    @Test func trailersFollowTheBody() throws {
        let response = try answering(EmbeddedHTTP2.request(1, [("te", "trailers")]))
        #expect(response.canSendTrailers)
        client.connection.turn {
            response.write("body")
            response.end(trailers: ["X-Sum": "1"])
        }
        let frames = try client.frames(of: 1)
        #expect(frames.map(\.kind) == [.headers, .data, .headers])
        #expect(frames[1].text == "body" && !frames[1].endsStream && frames[2].endsStream)
        _ = client.fields(frames[0].payload)
        #expect(client.fields(frames[2].payload) == ["x-sum": "1"])
    }

    @Test func whatBreaksOffIsResetAfterWhatWasWritten() throws {
        let response = try answering()
        client.connection.turn {
            response.write("some")
            response.breakOff()
        }
        let frames = try client.frames(of: 1)
        #expect(frames.map(\.kind) == [.headers, .data, .reset])
        #expect(frames[1].text == "some" && !frames[1].endsStream && frames[2].number == 2)
        #expect(delegate.finishes == 1 && delegate.closes == 0)
    }

    @Test func anAbortDropsWhatWasNotSent() throws {
        let response = try answering()
        client.connection.turn()
        _ = try client.frames()
        client.connection.turn {
            response.write("some")
            response.abort()
        }
        #expect(try client.frames(of: 1) == [EmbeddedHTTP2.reset(1, 11)])
        #expect(delegate.closes == 1)
    }

    // MARK: Windows and the socket

    @Test func aClosedWindowHoldsItsStreamBackAndNoOther() throws {
        let response = try answering()
        client.connection.turn { response.write(String(repeating: "x", count: 65_000)) }
        #expect(delegate.blocks == 0)
        client.connection.turn { response.write(String(repeating: "y", count: 1000)) }
        #expect(delegate.blocks == 1 && response.room == 0)
        let sent = try client.frames(of: 1).filter { $0.kind == .data }.reduce(0) { $0 + $1.payload.count }
        #expect(sent == 65_535 && response.bytesTaken == ByteCount(65_535))
        // The connection's window is used up as well: the client gives credit for that alone.
        try client.send(EmbeddedHTTP2.credit(100_000, 0))
        client.handler.onRequest = { $1.answer("beside") }
        try client.send(EmbeddedHTTP2.request(3))
        #expect(try client.frames(of: 3).last?.text == "beside")
        let rooms = delegate.rooms
        try client.send(EmbeddedHTTP2.credit(100, 1))
        #expect(delegate.rooms == rooms && response.room == 0)
        try client.send(EmbeddedHTTP2.credit(1000, 1))
        #expect(delegate.rooms == rooms + 1 && response.room == BatchSize.maximum)
        #expect(delegate.blocks == 1)
    }

    @Test func aFullSocketHoldsEveryStreamBack() throws {
        let response = try answering()
        client.connection.setTaking(false)
        client.connection.turn { response.write("some") }
        #expect(delegate.blocks == 1 && response.room == 0)
        let rooms = delegate.rooms
        client.connection.setTaking(true)
        #expect(delegate.rooms == rooms + 1 && response.room > 0)
        #expect(try client.frames(of: 1).last?.text == "some")
        // A stream with nothing to send sees it at its next look.
        client.connection.setTaking(false)
        client.connection.turn { #expect(response.room == 0) }
        #expect(delegate.blocks == 2)
        client.connection.setTaking(true)
        #expect(delegate.rooms == rooms + 2)
    }

    @Test func aBatchIsBoundedAndRoomIsRequestedAgain() throws {
        let response = try answering()
        try client.send(EmbeddedHTTP2.credit(1 << 20, 0), EmbeddedHTTP2.credit(1 << 20, 1))
        client.connection.turn {
            var written = 0
            while written < 500_000, response.room > 0 {
                response.write(String(repeating: "x", count: 10_000))
                written += 10_000
            }
            #expect(written == 500_000)
            client.connection.setTaking(false)
            while response.room > 0 {
                response.write(String(repeating: "x", count: 10_000))
                written += 10_000
            }
            #expect(written <= 500_000 + BatchSize.maximum)
        }
    }

    // MARK: Ends

    enum Moment: CaseIterable {
        case beforeTheHead, inTheBody, inTheRequest, atAClosedWindow, atTheEnd, afterTheEnd
    }

    @Test(arguments: Moment.allCases) func aClientThatLeavesEndsItsStreamsOnce(moment: Moment) throws {
        let response = try answering(
            EmbeddedHTTP2.request(method: "POST", ends: moment != .inTheRequest),
            body: moment == .beforeTheHead ? nil : .unknown)
        switch moment {
        case .beforeTheHead, .inTheBody: client.connection.turn()
        case .inTheRequest: try client.send(EmbeddedHTTP2.data("some"))
        case .atAClosedWindow: client.connection.turn { response.write(String(repeating: "x", count: 70_000)) }
        case .atTheEnd:
            client.connection.setTaking(false)
            client.connection.turn { response.end() }
        case .afterTheEnd: client.connection.turn { response.end() }
        }
        try client.connection.leave()
        #expect(delegate.closes == (moment == .afterTheEnd ? 0 : 1))
        #expect(delegate.finishes == (moment == .afterTheEnd ? 1 : 0))
        // Nothing is set, whatever is called from now on.
        client.connection.turn {
            response.write("more")
            response.end()
            response.abort()
        }
        #expect(client.connection.timers.count == 0)
        client.connection.advance(by: .hours(1))
        #expect(client.connection.listener.connectionCount == 0)
    }

    @Test func anEndThatIsNotTakenInTimeIsReset() throws {
        let response = try answering()
        client.connection.turn {
            response.write(String(repeating: "x", count: 70_000))
            response.end()
        }
        #expect(delegate.blocks == 1)
        client.connection.advance(by: .seconds(76))
        #expect(try client.frames(of: 1).last == EmbeddedHTTP2.reset(1, 11))
        #expect(delegate.closes == 1)
    }

    @Test func anIdleConnectionEndsWithGOAWAY() throws {
        try client.begin()
        try client.send(EmbeddedHTTP2.request(1))
        client.connection.advance(by: .seconds(74))
        #expect(client.connection.isOpen)
        _ = try client.frames()
        client.connection.advance(by: .seconds(2))
        let goAways = try client.frames()
        #expect(goAways.map(\.kind) == [.goAway] && goAways[0].payload == [0, 0, 0, 1, 0, 0, 0, 0])
        #expect(!client.connection.isOpen)
    }

    @Test func aDrainSendsTwoGOAWAYs() throws {
        let response = try answering()
        _ = try client.frames()
        client.connection.listener.drain()
        #expect(try client.frames().map(\.payload) == [[0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]])
        #expect(client.connection.isOpen)
        client.connection.turn { response.end() }
        let last = try client.frames()
        #expect(last.map(\.kind) == [.data, .goAway] && last[1].payload == [0, 0, 0, 1, 0, 0, 0, 0])
        #expect(!client.connection.isOpen)
    }

    @Test func aClientsGoodbyeClosesTheConnectionAfterItsStreams() throws {
        let response = try answering()
        try client.send(TestFrame(kind: .goAway, payload: [0, 0, 0, 0, 0, 0, 0, 0]))
        #expect(client.connection.isOpen)
        client.connection.turn { response.end() }
        #expect(delegate.finishes == 1 && !client.connection.isOpen)
    }

    // MARK: Abuse

    @Test func cancelsOfAnsweredStreamsAreFree() throws {
        client.handler.onRequest = { $1.writeHead(.ok, headers: [:], body: .unknown) }
        try client.begin()
        for number in 0..<1000 {
            try client.send(EmbeddedHTTP2.request(Int32(2 * number + 1)))
            try client.send(EmbeddedHTTP2.reset(Int32(2 * number + 1)))
        }
        #expect(client.connection.isOpen)
    }

    @Test(arguments: [true, false]) func cancelsOfOthersAreBounded(inOneFlight: Bool) throws {
        client.handler.onRequest = { _, _ in }
        try client.begin()
        for number in 0..<200 {
            let (request, reset) = (
                EmbeddedHTTP2.request(Int32(2 * number + 1)), EmbeddedHTTP2.reset(Int32(2 * number + 1))
            )
            if inOneFlight {
                try client.send(request, reset)
            } else {
                try client.send(request)
                try client.send(reset)
            }
        }
        #expect(client.connection.isOpen)
        _ = try client.frames()
        try client.send(EmbeddedHTTP2.request(401), EmbeddedHTTP2.reset(401))
        #expect(try client.frames().last.map { $0.kind == .goAway && $0.number == 11 } == true)
        #expect(!client.connection.isOpen)
    }

    @Test func emptyFramesAreBounded() throws {
        client.handler.onRequest = { _, _ in }
        try client.begin()
        try client.send(EmbeddedHTTP2.request(method: "POST", ends: false))
        for _ in 0..<201 { try client.send(EmbeddedHTTP2.data("")) }
        #expect(!client.connection.isOpen)
    }

    @Test func framesThatWaitForAClientThatDoesNotReadAreBounded() throws {
        client.handler.onRequest = { _, _ in }
        try client.begin()
        client.connection.setTaking(false)
        for number in 0..<300 where client.connection.isOpen {
            try client.send(TestFrame(kind: .ping, payload: Array(repeating: UInt8(number & 0xFF), count: 8)))
        }
        #expect(!client.connection.isOpen)
    }
}
