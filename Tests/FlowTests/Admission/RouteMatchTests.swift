import Testing

@testable import Flow

@Suite struct RouteMatchTests {
    typealias Match = RouteMatch

    @Test(arguments: [
        (Match(), Match(host: "a", path: "/b", methods: ["GET"])),
        (Match(path: "/a"), Match(path: "/a")),
        (Match(path: "/a"), Match(path: "/a/b")),
        (Match(path: "/a/"), Match(path: "/a/b")),
        (Match(path: "/a"), Match(path: "/a/")),
        (Match(host: "h"), Match(host: "h", path: "/a")),
        (Match(methods: ["GET", "POST"]), Match(methods: ["POST"])),
    ])
    func coversWhatIsNarrower(wide: Match, narrow: Match) {
        #expect(wide.covers(narrow))
    }

    @Test(arguments: [
        (Match(path: "/a"), Match(path: "/ab")),
        (Match(path: "/a/b"), Match(path: "/a")),
        (Match(path: "/a/"), Match(path: "/a")),
        (Match(host: "h"), Match()),
        (Match(host: "h"), Match(host: "i")),
        (Match(methods: ["GET"]), Match()),
        (Match(methods: ["GET"]), Match(methods: ["GET", "POST"])),
    ])
    func doesNotCoverWhatIsWider(match: Match, other: Match) {
        #expect(!match.covers(other))
    }
}
