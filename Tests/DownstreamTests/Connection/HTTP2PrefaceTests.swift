import NIOCore
import Testing

@testable import Downstream

@Suite struct HTTP2PrefaceTests {
    static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    @Test(arguments: 0...24) func isRecognisedInAnySplit(count: Int) {
        let opening = ByteBuffer(string: String(Self.preface.prefix(count)))
        // CRLF is one character of Swift's.
        let bytes = opening.readableBytes
        #expect(HTTP2Preface.match(opening) == (bytes == Self.preface.utf8.count ? .whole : .partly))
    }

    @Test(arguments: [
        "G", "POST / HTTP/1.1\r\n", "PROPFIND", "PRI /", "PRI * HTTP/2.1", " PRI", "\u{16}\u{3}",
    ]) func isNothingElse(opening: String) {
        #expect(HTTP2Preface.match(ByteBuffer(string: opening)) == .no)
    }

    @Test func whatFollowsDoesNotMatter() {
        #expect(HTTP2Preface.match(ByteBuffer(string: Self.preface + "more")) == .whole)
    }
}
