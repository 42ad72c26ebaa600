import NIOHTTP1
import Testing

@testable import Downstream

/// RFC 9112, sections 6.3 and 9.3.
@Suite struct ResponseFramingTests {
    private func make(
        _ body: ResponseBodyLength? = nil, _ version: HTTPVersion = .http1_1, isHead: Bool = false,
        acceptsTrailers: Bool = false, keepsAlive: Bool = true,
        mayKeepAlive: Bool = true
    ) -> ResponseFraming {
        var framing = ResponseFraming(
            version: version, isHead: isHead, acceptsTrailers: acceptsTrailers, keepsAlive: keepsAlive)
        if let body { framing.begin(body, mayKeepAlive: mayKeepAlive) }
        return framing
    }

    @Test(arguments: [ResponseBodyLength.none, .length]) func aKnownLengthNeedsNoChunks(body: ResponseBodyLength) {
        for version in [HTTPVersion.http1_0, .http1_1] {
            let framing = make(body, version)
            #expect(!framing.isChunked && framing.end == .continues && framing.endIfTruncated == .closes)
        }
    }

    @Test func anUnknownLengthIsChunked() {
        let framing = make(.unknown)
        #expect(framing.isChunked && framing.end == .continues && framing.option == nil)
        #expect(framing.endIfTruncated == .closes, "the missing last chunk shows it")
    }

    /// HTTP/1.0 has no chunks: the close ends the body, so that only its kind shows whether the body is complete.
    @Test func anUnknownLengthEndsTheConnectionOfHTTP10() {
        let framing = make(.unknown, .http1_0)
        #expect(!framing.isChunked && framing.option == "close")
        #expect(framing.end == .closes && framing.endIfTruncated == .cuts)
    }

    @Test(arguments: [HTTPVersion.http1_0, .http1_1]) func aResponseToHEADHasNoBodyToDelimit(version: HTTPVersion) {
        let framing = make(.unknown, version, isHead: true, acceptsTrailers: true)
        #expect(!framing.isChunked && !framing.sendsBody && !framing.canSendTrailers)
        #expect(framing.end == .continues && framing.endIfTruncated == .closes)
    }

    @Test func theConnectionIsNamedInTheHead() {
        #expect(make(.length, .http1_1).option == nil)
        #expect(make(.length, .http1_0).option == "keep-alive")
        #expect(make(.length, keepsAlive: false).option == "close")
        #expect(make(.length, mayKeepAlive: false).option == "close")
        #expect(make(.length, mayKeepAlive: false).end == .closes)
    }

    @Test func closingIsDecidedBeforeTheHead() {
        var framing = make()
        framing.closeAfterwards()
        framing.begin(.length, mayKeepAlive: true)
        #expect(framing.option == "close" && framing.end == .closes)
    }

    @Test func trailersFollowOnlyChunks() {
        #expect(make(acceptsTrailers: true).canSendTrailers, "with a body of unknown length they would")
        #expect(make(.unknown, acceptsTrailers: true).canSendTrailers)
        #expect(!make(.length, acceptsTrailers: true).canSendTrailers)
        #expect(!make(.unknown).canSendTrailers)
        #expect(!make(nil, .http1_0, acceptsTrailers: true).canSendTrailers)
        #expect(!make(.unknown, .http1_0, acceptsTrailers: true).canSendTrailers)
    }

    @Test func theAnswerToAFaultCloses() {
        var framing = ResponseFraming.ofFault
        framing.begin(.length, mayKeepAlive: true)
        #expect(framing.end == .closes && framing.sendsBody)
    }
}

extension ResponseFraming {
    fileprivate var option: String? { connectionOption.map(\.description) }
}
