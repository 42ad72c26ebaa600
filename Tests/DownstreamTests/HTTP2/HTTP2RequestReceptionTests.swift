import HTTPText
import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct HTTP2RequestReceptionTests {
    /// One that `#expect` can change.
    private final class Tap {
        var reception: HTTP2RequestReception

        init(limit: Int = 1024) { reception = HTTP2RequestReception(limit: limit) }

        func add(_ fields: [(String, String)]) {
            for (name, value) in fields {
                Array(name.utf8).withUnsafeBufferPointer { name in
                    Array(value.utf8).withUnsafeBufferPointer { reception.fieldArrived(name, $0) }
                }
            }
        }

        func end(endsStream: Bool = true) -> HTTP2RequestReception.Block? {
            reception.fieldsEnded(
                endsStream: endsStream, from: ConnectionPeer(address: PeerAddress("192.0.2.1"), cipher: nil))
        }

        func takesRequest() -> Request? { reception.takeRequest() }
        func takesWindow() -> Int { reception.takeWindow() }
    }

    private static func head(_ method: String = "GET") -> [(String, String)] {
        [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", "/")]
    }

    @Test func aHeadIsARequestThatIsTakenOnce() throws {
        let tap = Tap()
        tap.add(Self.head() + [("te", "trailers")])
        #expect(tap.end() == .head)
        #expect(tap.reception.hasEnded && tap.reception.acceptsTrailers && !tap.reception.isHead)
        let request = try #require(tap.takesRequest())
        #expect(request.path == "/" && request.peer == "192.0.2.1" && !request.hasBody)
        #expect(tap.takesRequest() == nil)
    }

    @Test func aHeadWithABodyLeavesTheStreamOpen() throws {
        let tap = Tap()
        tap.add(Self.head("POST"))
        #expect(tap.end(endsStream: false) == .head)
        #expect(!tap.reception.hasEnded)
        #expect(try #require(tap.takesRequest()).hasBody)
    }

    /// RFC 9110, section 9.3.2: the answer to it must not have content.
    @Test(arguments: ["GET", "HEAD"]) func aHeadThatIsTooLargeKeepsItsMethod(method: String) {
        let tap = Tap(limit: 300)
        tap.add(Self.head(method) + [("x", String(repeating: "x", count: 300))])
        #expect(tap.end() == .head)
        #expect(tap.reception.isHead == (method == "HEAD"))
        #expect(tap.takesRequest() == nil && tap.reception.fault == .headTooLarge)
    }

    @Test func contradictingFieldsAreMalformed() {
        let tap = Tap()
        tap.add(Self.head() + [("host", "b")])
        #expect(tap.end() == .head)
        #expect(tap.takesRequest() == nil && tap.reception.fault == .malformed)
    }

    @Test func trailersFollowTheHead() {
        let tap = Tap()
        tap.add(Self.head("POST"))
        _ = tap.end(endsStream: false)
        tap.reception.trailersBegan()
        tap.add([("x-sum", "1")])
        #expect(tap.end() == .trailers && tap.reception.trailers == ["x-sum": "1"])
        #expect(tap.end() == nil, "no fields have begun")
    }

    @Test func trailersBeyondTheLimitAreTooLarge() {
        let tap = Tap(limit: 300)
        tap.add(Self.head("POST"))
        _ = tap.end(endsStream: false)
        tap.reception.trailersBegan()
        tap.add([("x-sum", String(repeating: "1", count: 300))])
        #expect(tap.end() == .tooLarge && tap.reception.trailers.isEmpty)
    }

    @Test func theWindowIsGivenBackWhileTheBodyIsRead() {
        let tap = Tap()
        tap.reception.bytesArrived(10)
        tap.reception.bytesArrived(5)
        #expect(tap.takesWindow() == 15 && tap.takesWindow() == 0)
        tap.reception.setReading(false)
        tap.reception.bytesArrived(7)
        #expect(tap.takesWindow() == 0)
        tap.reception.setReading(true)
        #expect(tap.takesWindow() == 7)
    }

    @Test func afterTheEndNoWindowIsNeeded() {
        let tap = Tap()
        tap.reception.bytesArrived(10)
        tap.reception.ended()
        #expect(tap.takesWindow() == 0)
    }
}
