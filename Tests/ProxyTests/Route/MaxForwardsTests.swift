import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Testing

@testable import Proxy

@Suite struct MaxForwardsTests {
    private func read(_ values: [String], method: HTTPMethod = .OPTIONS) throws -> MaxForwards {
        let headers = HTTPHeaders(values.map { ("Max-Forwards", $0) })
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: "/", headers: headers)
        return try MaxForwards(of: try Request(head: head, peer: PeerAddress("")))
    }

    @Test(
        arguments: [
            ([], .unlimited), (["0"], .exhausted), (["000"], .exhausted), (["1"], .remaining(0)),
            (["070"], .remaining(69)),
            ([String(repeating: "9", count: 40)], .remaining(999_999_999_999_999_998)),
        ] as [([String], MaxForwards)]) func theNumberIsCountedDown(values: [String], left: MaxForwards) throws
    {
        #expect(try read(values) == left && read(values, method: .TRACE) == left)
        #expect(try read(values, method: .GET) == .unlimited)
    }

    @Test(arguments: [[""], ["-1"], ["+1"], ["1 1"], ["1,1"], ["1", "1"], ["x"]])
    func anythingElseIsMalformed(values: [String]) throws {
        #expect(throws: Problem.malformedRequest) { try read(values) }
        #expect(try read(values, method: .GET) == .unlimited)
    }
}
