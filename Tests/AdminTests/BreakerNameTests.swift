import Flow
import Proxy
import Testing

@testable import Admin

@Suite struct BreakerNameTests {
    @Test func aBreakerIsNamedAsTheSnapshotShowsIt() throws {
        let shown = #"{"route":"/a","kind":"client","client":"192.0.2.1","state":"open","retryAfter":1.5}"#
        let name = try BreakerName(Array(shown.utf8))
        #expect((name.route, name.kind, name.name) == ("/a", .client, "192.0.2.1"))
        let upstream = try BreakerName(Array(#"{"kind":"upstream","upstream":"http://a:1","route":"/"}"#.utf8))
        #expect((upstream.route, upstream.kind, upstream.name) == ("/", .upstream, "http://a:1"))
    }

    @Test(arguments: [
        "", "{}", "[]", "null", #"{"route":"/a","kind":"client","upstream":"x"}"#,
        #"{"route":"/a","kind":"x","x":"y"}"#,
        #"{"route":"/a","client":"x"}"#, #"{"kind":"client","client":"x"}"#,
        #"{"route":"/a","kind":"client","client":1}"#,
    ])
    func anythingElseIsRefused(body: String) {
        #expect(throws: Problem.self) { try BreakerName(Array(body.utf8)) }
    }
}
