import NIOHTTP1
import Testing

@testable import Upstream

@Suite struct UpstreamResponseHeadTests {
    private func head(_ status: Int, length: Int? = nil, isChunked: Bool = false) -> UpstreamResponseHead {
        UpstreamResponseHead(status: status, reason: "", headers: [:], contentLength: length, isChunked: isChunked)
    }

    /// RFC 9112, section 6.3, rules 1 and 2.
    @Test func someResponsesHaveNoBody() {
        #expect(head(200).hasBody(method: .GET))
        #expect(head(404, length: 3).hasBody(method: .POST))
        #expect(!head(200, length: 3).hasBody(method: .HEAD))
        #expect(!head(200, length: 0).hasBody(method: .GET))
        #expect(!head(204).hasBody(method: .GET))
        #expect(!head(304, length: 3).hasBody(method: .GET))
    }

    @Test func contentMayFollowAHeadThatAnnouncesIt() {
        var announcing = head(204)
        announcing.announcesContent = true
        #expect(announcing.mayPrecedeContent(method: .GET))
        announcing = head(200, length: 3)
        announcing.announcesContent = true
        #expect(announcing.mayPrecedeContent(method: .HEAD))
        #expect(!announcing.mayPrecedeContent(method: .GET), "it is the body")
        #expect(head(200).mayPrecedeContent(method: .HEAD), "a body that ends with the connection")
        #expect(!head(200, length: 0).mayPrecedeContent(method: .HEAD))
        for status in [204, 304] {
            for method in [HTTPMethod.GET, .HEAD] { #expect(!head(status).mayPrecedeContent(method: method)) }
        }
    }

    /// RFC 9112, section 6.3, rule 8.
    @Test func aBodyOfUnknownLengthEndsWithTheConnection() {
        #expect(head(200).isDelimitedByClose(method: .GET))
        #expect(!head(200, length: 3).isDelimitedByClose(method: .GET))
        #expect(!head(200, isChunked: true).isDelimitedByClose(method: .GET))
        #expect(!head(204).isDelimitedByClose(method: .GET))
        #expect(!head(200).isDelimitedByClose(method: .HEAD))
    }
}
